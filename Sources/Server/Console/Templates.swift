import Mustache

/// The console's templates, parsed once.
enum Templates {
    /// - Returns: a whole page.
    static func render(_ name: String, _ values: [String: Any]) -> [UInt8] {
        Array((library.render(withoutEmpty(values), withTemplate: name) ?? "").utf8)
    }

    /// The library takes an empty text for something that is there, and would show its section.
    private static func withoutEmpty(_ values: [String: Any]) -> [String: Any] {
        values.compactMapValues { value in
            switch value {
            case let text as String: text.isEmpty ? nil : text
            case let rows as [[String: Any]]: rows.map { withoutEmpty($0) }
            default: value
            }
        }
    }

    private static let library: MustacheLibrary = {
        MustacheContentTypes.register(BelfryContent(), named: "BELFRY")
        let sources: [(String, [UInt8])] = [
            ("frame-top", PackageResources.frame_top_mustache),
            ("frame-bottom", PackageResources.frame_bottom_mustache),
            ("overview", PackageResources.overview_mustache),
            ("deliveries", PackageResources.deliveries_mustache),
            ("person", PackageResources.person_mustache),
            ("people", PackageResources.people_mustache),
            ("login", PackageResources.login_mustache),
        ]
        var library = MustacheLibrary()
        for (name, bytes) in sources {
            do {
                try library.register(String(decoding: bytes, as: UTF8.self), named: name)
            } catch {
                preconditionFailure("the template \(name) does not parse: \(error)")
            }
        }
        return library
    }()
}
