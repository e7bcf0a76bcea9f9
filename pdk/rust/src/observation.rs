use crate::{Error, Observation, Sample};

impl Observation {
    /// The values of a node, in their order; none if there is no data, or an error.
    pub fn of<'a>(&'a self, node: &'a str) -> impl Iterator<Item = &'a Sample> {
        let samples = self.series.as_deref().unwrap_or_default();
        samples
            .iter()
            .filter(move |sample| sample.node.as_deref() == Some(node))
    }

    /// Whether there is a value for the node.
    pub fn has(&self, node: &str) -> bool {
        self.of(node).next().is_some()
    }

    /// All values of the node together. Fails if there is none: ask `has` first. No data is never a number.
    pub fn sum(&self, node: &str) -> Result<f64, Error> {
        if !self.has(node) {
            return Err(Error::msg(format!(
                "there is no value for {node}{}: ask has(\"{node}\") first",
                self.why()
            )));
        }
        Ok(self.of(node).fold(0.0, |sum, sample| sum + sample.value))
    }

    /// Why there is nothing, in brackets after a space; empty if the source did not fail.
    pub fn why(&self) -> String {
        match &self.error {
            Some(error) => format!(" ({})", error.message),
            None => String::new(),
        }
    }
}
