//! Asks a service that the policy grants: the host performs the request, and the step runs again with its answer.
use serde::Deserialize;
use sluice_pdk::{http, plugin_fn, Error, FnResult, HttpRequest, Json, StepInput};

#[derive(Deserialize)]
struct Config {
    url: String,
}

#[plugin_fn]
pub fn monitor(Json(input): Json<StepInput>) -> FnResult<String> {
    let config: Config = input.config()?;
    let answer = http::request::<()>(&HttpRequest::new(&config.url), None)?;
    if answer.status_code() != 200 {
        return Err(Error::msg(format!("{} answered {}", config.url, answer.status_code())).into());
    }
    Ok(format!("{{\"bytes\":{}}}", answer.body().len()))
}
