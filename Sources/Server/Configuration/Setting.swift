import BelfryCore

/// One thing that can be configured: its key, what it may be, and where in ``ServerConfiguration`` it lies.
package struct Setting: Sendable {
    /// Dotted and lower case: `http.port` in the file is `BELFRY_HTTP_PORT` in the environment and `--http-port` as a flag.
    package let key: String
    package let meaning: String
    /// What is allowed, in words.
    package let allowed: String
    package var isSecret = false
    package var isList = false
    let parse: @Sendable ([String], inout ServerConfiguration) throws(SettingProblem) -> Void
    let render: @Sendable (ServerConfiguration) -> String

    package var environmentName: String {
        "BELFRY_" + String(key.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
    }

    package var flagName: String { "--" + String(key.map { $0 == "." ? "-" : $0 }) }
}

/// Why a value cannot be used, without the value's place, which the caller knows.
struct SettingProblem: Error {
    let text: String
}

extension Setting {
    typealias Path<Value> = any WritableKeyPath<ServerConfiguration, Value> & Sendable

    /// - Parameters:
    ///   - needed: it may not be empty.
    ///   - form: what it has to be, unless it is empty.
    static func text(
        _ key: String,
        _ path: Path<String>,
        secret: Bool = false,
        needed: Bool = false,
        form: Form? = nil,
        _ meaning: String
    ) -> Setting {
        Setting(
            key: key,
            meaning: meaning,
            allowed: form?.allowed ?? "text",
            isSecret: secret,
            parse: { values, configuration throws(SettingProblem) in
                let text = try one(values)
                if needed, text.isEmpty { throw SettingProblem(text: "must not be empty") }
                if !text.isEmpty { try form?.check(text) }
                configuration[keyPath: path] = text
            },
            render: { $0[keyPath: path] }
        )
    }

    static func list(
        _ key: String,
        _ path: Path<[String]>,
        of form: Form,
        _ meaning: String
    ) -> Setting {
        Setting(
            key: key,
            meaning: meaning,
            allowed: "a list; each " + form.allowed,
            isList: true,
            parse: { values, configuration throws(SettingProblem) in
                for value in values { try form.check(value) }
                configuration[keyPath: path] = values
            },
            render: { $0[keyPath: path].joined(separator: ",") }
        )
    }

    static func integer(
        _ key: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        _ meaning: String
    ) -> Setting {
        Setting(
            key: key,
            meaning: meaning,
            allowed: "\(range.lowerBound) to \(range.upperBound)",
            parse: { values, configuration throws(SettingProblem) in
                let text = try one(values)
                guard let number = Int(text), range.contains(number) else {
                    throw SettingProblem(
                        text:
                            "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
                    )
                }
                configuration[keyPath: path] = number
            },
            render: { String($0[keyPath: path]) }
        )
    }

    static func bytes(
        _ key: String,
        _ path: Path<Int>,
        in range: ClosedRange<Int>,
        _ meaning: String
    ) -> Setting {
        let allowed =
            "\(ByteCount.render(range.lowerBound)) to \(ByteCount.render(range.upperBound))"
        return Setting(
            key: key,
            meaning: meaning,
            allowed: allowed,
            parse: { values, configuration throws(SettingProblem) in
                guard let count = ByteCount.parse(try one(values)), range.contains(count) else {
                    throw SettingProblem(text: "must be \(allowed), such as 64MiB")
                }
                configuration[keyPath: path] = count
            },
            render: { ByteCount.render($0[keyPath: path]) }
        )
    }

    static func duration(
        _ key: String,
        _ path: Path<Duration>,
        in range: ClosedRange<Duration>,
        _ meaning: String
    ) -> Setting {
        let allowed =
            "\(DurationText.inOneUnit(range.lowerBound)) to \(DurationText.inOneUnit(range.upperBound))"
        return Setting(
            key: key,
            meaning: meaning,
            allowed: allowed,
            parse: { values, configuration throws(SettingProblem) in
                guard let span = DurationText.parse(try one(values)), range.contains(span) else {
                    throw SettingProblem(text: "must be \(allowed), such as 90s or PT1M30S")
                }
                configuration[keyPath: path] = span
            },
            render: { DurationText.inOneUnit($0[keyPath: path]) }
        )
    }

    static func flag(_ key: String, _ path: Path<Bool>, _ meaning: String) -> Setting {
        Setting(
            key: key,
            meaning: meaning,
            allowed: "true or false",
            parse: { values, configuration throws(SettingProblem) in
                // A flag without a value means yes.
                guard let value = Bool(values.isEmpty ? "true" : try one(values)) else {
                    throw SettingProblem(text: "must be true or false")
                }
                configuration[keyPath: path] = value
            },
            render: { String($0[keyPath: path]) }
        )
    }

    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ key: String,
        _ path: Path<Value>,
        _ meaning: String
    ) -> Setting where Value.RawValue == String {
        let allowed = "one of " + Value.allCases.map(\.rawValue).joined(separator: ", ")
        return Setting(
            key: key,
            meaning: meaning,
            allowed: allowed,
            parse: { values, configuration throws(SettingProblem) in
                guard let value = Value(rawValue: try one(values)) else {
                    throw SettingProblem(text: "must be \(allowed)")
                }
                configuration[keyPath: path] = value
            },
            render: { $0[keyPath: path].rawValue }
        )
    }
}

private func one(_ values: [String]) throws(SettingProblem) -> String {
    guard values.count == 1 else {
        throw SettingProblem(text: values.isEmpty ? "needs a value" : "takes one value only")
    }
    return values[0]
}
