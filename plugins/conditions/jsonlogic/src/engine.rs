//! The engine with this plugin's meaning of truth and of comparisons, and how a
//! rule comes to use them.

use std::sync::{Arc, LazyLock};

use datalogic_rs::datavalue::OwnedDataValue;
use datalogic_rs::{Engine, EvaluationConfig, TruthyEvaluator};

use crate::compare::COMPARISONS;

pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| {
    let truth = TruthyEvaluator::Custom(Arc::new(is_true));
    let config = EvaluationConfig::default().with_truthy_evaluator(truth);
    let builder = Engine::builder().with_config(config);
    COMPARISONS
        .iter()
        .fold(builder, |builder, (_, name, comparison)| builder.add_operator(*name, *comparison))
        .build()
});

/// JSONLogic's truth: JavaScript's, but that an empty array is false. The engine
/// by itself takes an empty object for false as well, so that
/// `{"!!": {"var": "event.data.error"}}` would not see an error without fields.
fn is_true(value: &OwnedDataValue) -> bool {
    match value {
        OwnedDataValue::Null => false,
        OwnedDataValue::Bool(value) => *value,
        OwnedDataValue::Number(value) => {
            let value = value.as_f64();
            value != 0.0 && !value.is_nan()
        }
        OwnedDataValue::String(text) => !text.is_empty(),
        OwnedDataValue::Array(items) => !items.is_empty(),
        // An object, also one without fields.
        _ => true,
    }
}

/// Makes a rule use the comparisons here, and gives `and`, `or` and `if` what the
/// reference gives them: a single operand may stand without an array around it,
/// and of nothing `and` and `or` are false, where the engine has null.
pub(crate) fn adopt(rule: &mut OwnedDataValue) {
    match rule {
        OwnedDataValue::Array(items) => items.iter_mut().for_each(adopt),
        OwnedDataValue::Object(fields) => {
            let [(name, operands)] = &mut fields[..] else { return };
            if let Some((_, ours, _)) = COMPARISONS.iter().find(|(known, ..)| known == name) {
                *name = (*ours).to_owned();
            }
            adopt(operands);
            let is_connective = ["and", "or"].contains(&name.as_str());
            match operands {
                OwnedDataValue::Array(items) if items.is_empty() && is_connective => {
                    *rule = OwnedDataValue::Bool(false);
                }
                OwnedDataValue::Array(_) => {}
                single if is_connective || ["if", "?:"].contains(&name.as_str()) => {
                    let operand = std::mem::replace(single, OwnedDataValue::Null);
                    *single = OwnedDataValue::Array(vec![operand]);
                }
                _ => {}
            }
        }
        _ => {}
    }
}
