//! A guest in Rust, by the ordinary Extism PDK.
use extism_pdk::{http, plugin_fn, FnResult, HttpRequest, Json};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Step {
    #[serde(default)]
    topology: Topology,
    #[serde(default)]
    sources: BTreeMap<String, Source>,
    #[serde(default)]
    config: Config,
}

#[derive(Deserialize, Default)]
struct Topology {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    name: String,
}

#[derive(Deserialize)]
struct Source {
    #[serde(default)]
    series: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    node: Option<String>,
    value: f64,
}

#[derive(Deserialize, Default)]
struct Config {
    #[serde(default)]
    url: String,
}

#[derive(Serialize)]
struct Said {
    status: u16,
    body: String,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
struct Wanted {
    parallelism: u32,
}

#[derive(Serialize)]
struct Plan {
    nodes: BTreeMap<String, Wanted>,
}

#[plugin_fn]
pub fn monitor(Json(step): Json<Step>) -> FnResult<Json<Said>> {
    if step.config.url.is_empty() {
        return Ok(Json(Said { status: 0, body: String::new() }));
    }
    let answer = http::request::<()>(&HttpRequest::new(&step.config.url), None)?;
    let body = String::from_utf8(answer.body())?;
    Ok(Json(Said { status: answer.status_code(), body }))
}

#[plugin_fn]
pub fn analyze() -> FnResult<Json<Empty>> {
    Ok(Json(Empty {}))
}

#[plugin_fn]
pub fn plan(Json(step): Json<Step>) -> FnResult<Json<Plan>> {
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    if let Some(rates) = step.sources.get("rates") {
        for sample in &rates.series {
            if let Some(node) = &sample.node {
                *sums.entry(node).or_default() += sample.value;
            }
        }
    }
    let nodes = step.topology.nodes.iter().filter_map(|node| {
        let sum = sums.get(node.name.as_str())?;
        Some((node.name.clone(), Wanted { parallelism: (sum / 100.0).ceil() as u32 }))
    });
    Ok(Json(Plan { nodes: nodes.collect() }))
}
