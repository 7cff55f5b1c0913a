//! The control command; everything is in the library.

fn main() -> std::process::ExitCode {
    stentor::ctl::main(std::env::args_os())
}
