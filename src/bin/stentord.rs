//! The alarm daemon; everything is in the library.

fn main() -> std::process::ExitCode {
    stentor::daemon::main(std::env::args_os())
}
