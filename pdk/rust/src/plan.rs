use crate::{figure::number, Error};
use extism_pdk::ToBytes;
use serde::Serialize;
use serde_json::Value;

const LARGEST: f64 = 2_147_483_647.0;

/// What is wanted: the answer of the plan step. A node that is not in it stays as it is; nodes keep their order.
#[derive(Default)]
pub struct PlanBuilder {
    nodes: Vec<(String, String)>,
    rest: Vec<(&'static str, String)>,
}

impl PlanBuilder {
    /// A plan that wants nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wants a whole number of instances of a node, and says why. Fails for a number that is none, or not whole.
    pub fn want(&mut self, node: &str, parallelism: f64, reason: &str) -> Result<(), Error> {
        if parallelism.floor() != parallelism {
            return Err(Error::msg(format!(
                "{node}: {} is not whole: round it, or use demand",
                number(parallelism)
            )));
        }
        self.set(node, "parallelism", parallelism, reason)
    }

    /// Wants so much of a node, not rounded: the host rounds it up.
    pub fn demand(&mut self, node: &str, demand: f64, reason: &str) -> Result<(), Error> {
        self.set(node, "demand", demand, reason)
    }

    /// Asks for the next pass in so many seconds, if that is sooner than the policy's interval.
    pub fn recheck_after(&mut self, seconds: f64) {
        self.rest.push(("recheckAfter", number(seconds)));
    }

    /// What the next pass is given as `carry`, at most 16 KiB.
    pub fn remember(&mut self, carry: &impl Serialize) -> Result<(), Error> {
        self.rest.push(("carry", serde_json::to_string(carry)?));
        Ok(())
    }

    fn set(&mut self, node: &str, how: &str, x: f64, reason: &str) -> Result<(), Error> {
        if !(0.0..=LARGEST).contains(&x) {
            return Err(Error::msg(format!(
                "{node}: {} is no parallelism",
                number(x)
            )));
        }
        let mut wanted = format!("{{\"{how}\":{}", number(x));
        if !reason.is_empty() {
            wanted += &format!(",\"reason\":{}", Value::from(reason));
        }
        wanted.push('}');
        match self.nodes.iter_mut().find(|(name, _)| name == node) {
            Some((_, known)) => *known = wanted,
            None => self.nodes.push((node.to_string(), wanted)),
        }
        Ok(())
    }

    fn json(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|(name, wanted)| format!("{}:{wanted}", Value::from(name.as_str())))
            .collect();
        let mut parts: Vec<String> = self
            .rest
            .iter()
            .map(|(name, json)| format!("\"{name}\":{json}"))
            .collect();
        parts.push(format!("\"nodes\":{{{}}}", nodes.join(",")));
        format!("{{{}}}", parts.join(","))
    }
}

impl ToBytes<'_> for PlanBuilder {
    type Bytes = String;

    fn to_bytes(&self) -> Result<String, Error> {
        Ok(self.json())
    }
}
