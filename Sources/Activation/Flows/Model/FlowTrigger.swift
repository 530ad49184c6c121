/// What starts a flow for a person.
package enum FlowTrigger: Sendable, Hashable {
    /// A follow; with scenes: only one that came by such a QR code.
    case follow(scenes: [ScenePattern])
    /// A message; without keywords: any.
    case message(keywords: [String], match: KeywordMatch)
    /// A tap on the menu button with this key.
    case menu(key: String)
    /// A follower scans a QR code; without scenes: any.
    case scan(scenes: [ScenePattern])
    /// A call from the business server.
    case api

    package var name: String {
        switch self {
        case .follow: "follow"
        case .message: "message"
        case .menu: "menu"
        case .scan: "scan"
        case .api: "api"
        }
    }

    /// What the trigger itself opens; `nil`: nothing.
    package var action: GrantingAction? {
        switch self {
        case .follow: .follow
        case .message: .message
        case .menu: .menu
        case .scan: .scan
        case .api: nil
        }
    }

    /// Whether it fires for every event of its kind, and so gives way to one that asks for more.
    package var isGeneral: Bool {
        switch self {
        case .follow(let scenes), .scan(let scenes): scenes.isEmpty
        case .message(let keywords, _): keywords.isEmpty
        case .menu, .api: false
        }
    }

    /// Whether this event starts the flow. `api` never does by itself: the call names its flow.
    package func matches(_ event: FlowEvent) -> Bool {
        switch (self, event.kind) {
        case (.follow(let scenes), .follow(let scene)), (.scan(let scenes), .scan(let scene)):
            scenes.isEmpty || scenes.contains { $0.matches(scene ?? "") }
        case (.message(let keywords, let match), .message(let text, _)):
            keywords.isEmpty || text.map { match.finds(keywords, in: $0) } ?? false
        case (.menu(let key), .menu(let tapped)): key == tapped
        default: false
        }
    }
}

/// How a keyword is compared with a message. Case, full width and surrounding blanks do not matter.
package enum KeywordMatch: String, Sendable, Hashable, Codable, CaseIterable {
    case exact
    case contains

    func finds(_ keywords: [String], in text: String) -> Bool {
        let text = Self.normal(text)
        return keywords.contains { keyword in
            let keyword = Self.normal(keyword)
            return self == .exact ? text == keyword : text.contains(keyword)
        }
    }

    /// Full-width forms (U+FF01…U+FF5E) are what a Chinese keyboard types for ASCII.
    static func normal(_ text: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0xFF01...0xFF5E:
                scalars.append(Unicode.Scalar(scalar.value - 0xFEE0) ?? scalar)
            case 0x3000: scalars.append(" ")
            default: scalars.append(scalar)
            }
        }
        let lowered = String(scalars).lowercased()
        guard let first = lowered.firstIndex(where: { !$0.isWhitespace }),
            let last = lowered.lastIndex(where: { !$0.isWhitespace })
        else { return "" }
        return String(lowered[first...last])
    }
}

/// A scene of a QR code: the exact name, or with a trailing `*` any that begins so.
package struct ScenePattern: Sendable, Hashable, CustomStringConvertible {
    package var text: String

    package init(_ text: String) { self.text = text }

    package func matches(_ scene: String) -> Bool {
        guard text.hasSuffix("*") else { return scene == text }
        return !scene.isEmpty && scene.hasPrefix(text.dropLast())
    }

    package var description: String { text }
}
