//! Writes autoscaling algorithms for Sluice: the input of a step as types, and an answer that says why.
//!
//! A step is an ordinary Extism function, `#[plugin_fn] pub fn plan(Json(input): Json<StepInput>) -> FnResult<PlanBuilder>`. An
//! error ends it without an answer: its message becomes the policy's condition, and nothing is scaled.

mod contract;
mod figure;
mod observation;
mod plan;

pub use contract::*;
pub use extism_pdk::{
    debug, error, http, info, plugin_fn, warn, Error, FnResult, HttpRequest, Json,
};
pub use figure::figure;
pub use plan::PlanBuilder;

use serde::de::DeserializeOwned;

impl StepInput {
    /// What the policy configures, as a type of the algorithm's. Fails with the field that does not fit.
    pub fn config<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_str(self.config.get()).map_err(|why| Error::msg(format!("config: {why}")))
    }

    /// What the algorithm remembered in its last successful pass; `None` before the first.
    pub fn carry<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let Some(text) = &self.carry else {
            return Ok(None);
        };
        serde_json::from_str(text.get()).map_err(|why| Error::msg(format!("carry: {why}")))
    }

    /// What a source said. Fails if the policy has no source of that name.
    pub fn source(&self, name: &str) -> Result<&Observation, Error> {
        self.sources.get(name).ok_or_else(|| {
            Error::msg(format!(
                "sources.{name}: is missing: the policy has no source \"{name}\" under spec.sources"
            ))
        })
    }
}
