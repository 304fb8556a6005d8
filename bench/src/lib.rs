//! What every benchmark here shares: contestants measured in turns, allocations counted, one table and one JSON file.
//!
//! The machine may change its speed at any moment, so a figure alone says little. Contestants of one group run in
//! turns, a batch each, and a ratio is the median of the ratios within one turn: a change of speed hits both sides.

mod allocations;
mod group;
mod machine;
mod report;
mod server;

pub use group::{Contestant, Group};
pub use machine::Machine;
pub use report::{Options, Report};
pub use server::{Folder, Server};
