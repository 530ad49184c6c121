import BelfryCore

extension LoadedConfiguration {
    /// One line a setting: key, value, origin; for `belfry serve --print-config`.
    package func text() -> String {
        let keyWidth = values.map(\.key.count).max() ?? 0
        let valueWidth = min(48, values.map(\.value.count).max() ?? 0)
        return values.map { value in
            let shown = value.value.isEmpty ? "\"\"" : value.value
            return pad(value.key, keyWidth) + "  " + pad(shown, valueWidth) + "  " + value.origin
        }.joined(separator: "\n")
    }

    /// The same as JSON: an array of `{"key", "value", "origin", "meaning"}`.
    package func json() -> String {
        let array = values.map { value -> JSONValue in
            [
                "key": .string(value.key), "value": .string(value.value),
                "origin": .string(value.origin), "meaning": .string(value.meaning),
            ]
        }
        return JSONValue.array(array).text
    }
}

private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}
