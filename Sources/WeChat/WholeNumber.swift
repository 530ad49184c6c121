import BelfryCore

extension JSONValue {
    /// A whole number, also one written as text: WeChat does both.
    var wholeNumber: Int64? { integer ?? string.flatMap { Int64($0) } }
}
