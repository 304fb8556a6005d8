//! The pages of the three apps that `misario dev` sets up: one per way to carry a login.

mod service;
mod spa;
mod web;

pub(crate) use service::ServiceDemo;
pub(crate) use spa::SpaDemo;
pub(crate) use web::WebDemo;
