//! The alarm daemon; everything is in the library.

/// Quicker than the system's, and gives back what a rush has left behind; how it is set up: `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    stentor::daemon::main(std::env::args_os())
}
