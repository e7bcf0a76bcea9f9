/// A number for people: at most three decimals and no trailing zeros, such as `420`, `4.2` or `0.333`.
pub fn figure(x: f64) -> String {
    if !(x.abs() < 1e15) {
        return number(x);
    }
    let (whole, rest) = ((x.abs() * 1000.0).floor(), (x.abs() * 1000.0).fract());
    let thousandths = whole as i64 + i64::from(rest >= 0.5);
    let sign = if x < 0.0 && thousandths > 0 { "-" } else { "" };
    let decimals = format!("{:03}", thousandths % 1000);
    let decimals = decimals.trim_end_matches('0');
    let point = if decimals.is_empty() { "" } else { "." };
    format!("{sign}{}{point}{decimals}", thousandths / 1000)
}

/// A number as JavaScript writes it: the fewest digits that mean it, and an exponent from 10^21 on and below 10^-6.
pub(crate) fn number(x: f64) -> String {
    let size = x.abs();
    if x == 0.0 {
        return "0".to_string();
    }
    if (1e-6..1e21).contains(&size) {
        return x.to_string();
    }
    let text = format!("{x:e}");
    if size < 1.0 {
        text
    } else {
        text.replace('e', "e+")
    }
}
