//! The functions that a condition can call, with the types they take and give.
//! The environment knows them too, but lists nothing.

use std::sync::LazyLock;

use super::types::Type;

/// One a line: `receiver::name(arguments) result`, without `receiver::` for a
/// function that has none. `|` separates types, of which any will do.
const TEXT: &str = "
size(string|bytes|list|map) int
string|bytes|list|map::size() int
bool(bool|string) bool
bytes(bytes|string) bytes
double(number|string) double
duration(string|duration) duration
dyn(any) any
int(number|string|timestamp) int
matches(string, string) bool
string(bool|number|string|bytes|timestamp|duration|ip|cidr) string
timestamp(string|int|timestamp) timestamp
type(any) type
uint(number|string) uint
string::contains(string) bool
string::endsWith(string) bool
string::matches(string) bool
string::startsWith(string) bool
timestamp::getDate() int
timestamp::getDate(string) int
timestamp::getDayOfMonth() int
timestamp::getDayOfMonth(string) int
timestamp::getDayOfWeek() int
timestamp::getDayOfWeek(string) int
timestamp::getDayOfYear() int
timestamp::getDayOfYear(string) int
timestamp::getFullYear() int
timestamp::getFullYear(string) int
timestamp::getMonth() int
timestamp::getMonth(string) int
timestamp|duration::getHours() int
timestamp::getHours(string) int
timestamp|duration::getMinutes() int
timestamp::getMinutes(string) int
timestamp|duration::getSeconds() int
timestamp::getSeconds(string) int
timestamp|duration::getMilliseconds() int
timestamp::getMilliseconds(string) int
optional.none() optional
optional.of(any) optional
optional.ofNonZeroValue(any) optional
optional::hasValue() bool
optional::or(optional) optional
optional::orValue(any) any
optional::value() any
string::charAt(int) string
string::format(list) string
string::indexOf(string) int
string::indexOf(string, int) int
list::join() string
list::join(string) string
string::lastIndexOf(string) int
string::lastIndexOf(string, int) int
string::lowerAscii() string
string::replace(string, string) string
string::replace(string, string, int) string
string::reverse() string
string::split(string) list
string::split(string, int) list
string::substring(int) string
string::substring(int, int) string
string::trim() string
string::upperAscii() string
strings.quote(string) string
list::distinct() list
list::flatten() list
list::flatten(int) list
list::reverse() list
list::slice(int, int) list
list::sort() list
list::@sortByAssociatedKeys(list) list
lists.range(int) list
math.@max(number|list) number
math.@max(number, number) number
math.@min(number|list) number
math.@min(number, number) number
math.abs(number) number
math.bitAnd(int|uint, int|uint) number
math.bitNot(int|uint) number
math.bitOr(int|uint, int|uint) number
math.bitShiftLeft(int|uint, int) number
math.bitShiftRight(int|uint, int) number
math.bitXor(int|uint, int|uint) number
math.ceil(number) double
math.floor(number) double
math.isFinite(number) bool
math.isInf(number) bool
math.isNaN(number) bool
math.round(number) double
math.sign(number) number
math.sqrt(number) double
math.trunc(number) double
base64.decode(string) bytes
base64.encode(bytes) string
sets.contains(list, list) bool
sets.equivalent(list, list) bool
sets.intersects(list, list) bool
cidr(string|cidr) cidr
ip(string|ip) ip
ip.isCanonical(string) bool
isCIDR(string) bool
isIP(string) bool
cidr::containsCIDR(string|cidr) bool
cidr::containsIP(string|ip) bool
cidr::ip() ip
cidr::masked() cidr
cidr::prefixLength() int
ip::family() int
ip::isGlobalUnicast() bool
ip::isLinkLocalMulticast() bool
ip::isLinkLocalUnicast() bool
ip::isLoopback() bool
ip::isUnspecified() bool
";

/// One way to call a function.
pub(crate) struct Signature {
    /// With its namespace: `math.abs`.
    pub(crate) name: &'static str,
    /// What it is called on, if on anything: any of these.
    pub(crate) receiver: Option<Vec<Type>>,
    /// For each argument, the types of which any will do.
    pub(crate) arguments: Vec<Vec<Type>>,
    pub(crate) result: Type,
}

/// All of them.
pub(crate) static SIGNATURES: LazyLock<Vec<Signature>> =
    LazyLock::new(|| TEXT.lines().filter_map(Signature::parse).collect());

impl Signature {
    fn parse(line: &'static str) -> Option<Self> {
        let (head, rest) = line.split_once('(')?;
        let (arguments, result) = rest.split_once(')')?;
        let types = |text: &str| text.split('|').map(Type::named).collect::<Vec<_>>();
        let (receiver, name) = match head.split_once("::") {
            Some((receiver, name)) => (Some(types(receiver)), name),
            None => (None, head),
        };
        let arguments = arguments.split(", ").filter(|text| !text.is_empty()).map(types).collect();
        Some(Self { name, receiver, arguments, result: Type::named(result.trim()) })
    }

    /// As it is written in the list.
    pub(crate) fn shown(&self) -> String {
        let any =
            |types: &Vec<Type>| types.iter().map(Type::to_string).collect::<Vec<_>>().join("|");
        let arguments: Vec<String> = self.arguments.iter().map(any).collect();
        let receiver = self.receiver.as_ref().map(|of| format!("{}.", any(of)));
        format!("`{}{}({})`", receiver.unwrap_or_default(), self.name, arguments.join(", "))
    }

    /// Whether a call with these can be one of it.
    pub(crate) fn takes(&self, receiver: Option<&Type>, arguments: &[Type]) -> bool {
        let any = |wanted: &Vec<Type>, given: &Type| wanted.iter().any(|one| given.may_be(one));
        let takes_receiver = match (&self.receiver, receiver) {
            (Some(wanted), Some(given)) => any(wanted, given),
            (wanted, given) => wanted.is_none() && given.is_none(),
        };
        takes_receiver
            && self.arguments.len() == arguments.len()
            && self.arguments.iter().zip(arguments).all(|(wanted, given)| any(wanted, given))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::ENV;
    use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
    use cel::{Context, ExecutionError, Value};
    use std::sync::Arc;

    #[test]
    fn every_function_in_the_list_exists() {
        let null = || IdedExpr { id: 0, expr: Expr::Literal(LiteralValue::Null) };
        let context = Context::with_env(Arc::clone(&ENV));
        assert!(SIGNATURES.len() > 110, "{}", SIGNATURES.len());
        for signature in SIGNATURES.iter() {
            let call = CallExpr {
                func_name: signature.name.to_owned(),
                target: signature.receiver.as_ref().map(|_| Box::new(null())),
                args: signature.arguments.iter().map(|_| null()).collect(),
            };
            let call = IdedExpr { id: 0, expr: Expr::Call(call) };
            // One that does not exist is an undeclared reference, whatever it is called with.
            let result = Value::resolve_val(&call, &context);
            assert!(
                !matches!(result, Err(ExecutionError::UndeclaredReference(_))),
                "{}: {result:?}",
                signature.name
            );
        }
    }
}
