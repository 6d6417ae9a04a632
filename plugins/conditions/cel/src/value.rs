//! From CEL's values to JSON, as the specification maps them: times and durations are
//! texts, bytes are Base64, an optional is what it holds or null.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelDuration, CelInt, CelList, CelMap, CelMapKey, CelNull,
    CelOptional, CelString, CelTimestamp, CelUInt,
};
use cel::common::value::Val;
use exosphere_alerts_sdk::EvalError;
use serde_json::{Map, Number, Value};

/// The value as JSON, or why it has no such form.
pub(crate) fn json(value: &dyn Val) -> Result<Value, EvalError> {
    if let Some(text) = value.downcast_ref::<CelString<'_>>() {
        return Ok(text.inner().into());
    }
    if let Some(map) = value.downcast_ref::<CelMap<'_>>() {
        let entries = map.inner().iter();
        let entries = entries.map(|(key, value)| Ok((name(key), json(value.as_ref())?)));
        return entries.collect::<Result<Map<_, _>, _>>().map(Value::Object);
    }
    if let Some(list) = value.downcast_ref::<CelList<'_>>() {
        return list.inner().iter().map(|item| json(item.as_ref())).collect();
    }
    if let Some(number) = value.downcast_ref::<CelInt>() {
        return Ok((*number.inner()).into());
    }
    if let Some(number) = value.downcast_ref::<CelUInt>() {
        return Ok((*number.inner()).into());
    }
    if let Some(number) = value.downcast_ref::<CelDouble>() {
        return Number::from_f64(*number.inner())
            .map(Value::Number)
            .ok_or_else(|| EvalError::new("the number is infinite, or none; JSON has no such"));
    }
    if let Some(truth) = value.downcast_ref::<CelBool>() {
        return Ok((*truth.inner()).into());
    }
    if value.downcast_ref::<CelNull>().is_some() {
        return Ok(Value::Null);
    }
    if let Some(held) = value.downcast_ref::<CelOptional<'_>>() {
        return held.option().map_or(Ok(Value::Null), json);
    }
    if let Some(time) = value.downcast_ref::<CelTimestamp>() {
        return Ok(time.inner().to_rfc3339().replace("+00:00", "Z").into());
    }
    if let Some(duration) = value.downcast_ref::<CelDuration>() {
        let ms = duration.inner().num_milliseconds();
        let seconds = format!("{}.{:03}", ms.unsigned_abs() / 1000, ms.unsigned_abs() % 1000);
        let seconds = seconds.trim_end_matches('0').trim_end_matches('.');
        let sign = if ms < 0 { "-" } else { "" };
        return Ok(format!("{sign}{seconds}s").into());
    }
    if let Some(bytes) = value.downcast_ref::<CelBytes<'_>>() {
        return Ok(STANDARD.encode(bytes.inner()).into());
    }
    let kind = value.get_type();
    Err(EvalError::new(format!("a value of type `{}` has no form in JSON", kind.name())))
}

/// JSON's names are texts.
fn name(key: &CelMapKey<'_>) -> String {
    match key {
        CelMapKey::String(text) => text.inner().to_owned(),
        CelMapKey::Bool(truth) => truth.inner().to_string(),
        CelMapKey::Int(number) => number.inner().to_string(),
        CelMapKey::UInt(number) => number.inner().to_string(),
    }
}
