//! Remembers the largest rate that each node has seen, and plans for it.
use sluice_pdk::{plugin_fn, FnResult, Json, PlanBuilder, StepInput};
use std::collections::BTreeMap;

#[plugin_fn]
pub fn plan(Json(input): Json<StepInput>) -> FnResult<PlanBuilder> {
    let mut largest: BTreeMap<String, f64> = input.carry()?.unwrap_or_default();
    let rates = input.source("rates")?;
    let mut plan = PlanBuilder::new();
    for node in &input.topology.nodes {
        // No data is not 0: the node is left as it is, and what was remembered stays.
        if !rates.has(&node.name) {
            continue;
        }
        let seen = largest.entry(node.name.clone()).or_default();
        *seen = seen.max(rates.sum(&node.name)?);
        plan.demand(
            &node.name,
            *seen / 100.0,
            "the most that was seen, at 100/s an instance",
        )?;
    }
    plan.remember(&largest)?;
    Ok(plan)
}
