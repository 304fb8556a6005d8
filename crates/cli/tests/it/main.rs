//! The binary as its users meet it: what it prints, what it serves, what it leaves behind.

#[cfg(test)]
mod dev;
#[cfg(test)]
mod log;
#[cfg(test)]
mod outcome;
#[cfg(test)]
mod owner;
#[cfg(test)]
mod prompt;
#[cfg(test)]
mod serve;
#[cfg(test)]
mod soak_demos;
#[cfg(test)]
mod support;
#[cfg(test)]
mod transcripts;
