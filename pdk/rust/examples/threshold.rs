//! As many instances as the measured rate of each node needs at the configured rate an instance: algorithms/threshold in Rust.
use serde::Deserialize;
use sluice_pdk::{
    figure, plugin_fn, warn, FnResult, Json, Node, Observation, PlanBuilder, StepInput,
};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    #[serde(default = "rates")]
    source: String,
    target_per_instance: f64,
    #[serde(default = "tenth")]
    tolerance: f64,
    #[serde(default)]
    nodes: BTreeMap<String, Own>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Own {
    target_per_instance: Option<f64>,
    tolerance: Option<f64>,
}

fn rates() -> String {
    "rates".to_string()
}

fn tenth() -> f64 {
    0.1
}

#[plugin_fn]
pub fn plan(Json(input): Json<StepInput>) -> FnResult<PlanBuilder> {
    let config: Config = input.config()?;
    let rates = input.source(&config.source)?;
    let mut plan = PlanBuilder::new();
    for node in &input.topology.nodes {
        want(&mut plan, node, rates, &config)?;
    }
    Ok(plan)
}

fn want(plan: &mut PlanBuilder, node: &Node, rates: &Observation, config: &Config) -> FnResult<()> {
    let (name, source) = (&node.name, &config.source);
    if !rates.has(name) {
        warn!(
            "{name} is left as it is: {source} has no value for it{}",
            rates.why()
        );
        return Ok(());
    }
    let rate = rates.sum(name)?;
    if rate < 0.0 {
        warn!(
            "{name} is left as it is: {source} says {}, which is no rate",
            figure(rate)
        );
        return Ok(());
    }
    let own = config.nodes.get(name);
    let target = own
        .and_then(|own| own.target_per_instance)
        .unwrap_or(config.target_per_instance);
    let tolerance = own
        .and_then(|own| own.tolerance)
        .unwrap_or(config.tolerance);
    let load = format!("{}/s at {}/s an instance", figure(rate), figure(target));
    let current = f64::from(node.parallelism);
    if is_near(rate, current, target, tolerance) {
        let why = format!("{load} is within {} %", figure(tolerance * 100.0));
        plan.want(name, current, &why)?;
    } else {
        plan.want(name, (rate / target - SLACK).ceil(), &load)?;
    }
    Ok(())
}

/// A billionth more than a whole number of instances, or than the tolerance, is a rounding error of the division.
const SLACK: f64 = 1e-9;

fn is_near(rate: f64, current: f64, target: f64, tolerance: f64) -> bool {
    current != 0.0 && (rate / (current * target) - 1.0).abs() <= tolerance + SLACK
}
