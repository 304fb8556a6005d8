//! A running server: store, keys, settings, sockets, signals.

mod limits;
mod log;
mod opened;
mod parts;
mod serving;
mod signals;

pub(crate) use limits::raise_file_limit;
pub(crate) use log::{LogFormat, start as start_log};
pub(crate) use opened::Opened;
pub(crate) use parts::Setup;
pub(crate) use serving::{Ready, listen, serve};
pub(crate) use signals::StopSignals;
