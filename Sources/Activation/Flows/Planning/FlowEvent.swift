package import BelfryCore

/// Something a person did, or the business server reported, in the words that flows need.
package struct FlowEvent: Sendable, Hashable {
    package var kind: Kind
    /// The event's own time (CreateTime).
    package var time: Timestamp

    package enum Kind: Sendable, Hashable {
        /// A follow; the scene of the QR code without its `qrscene_` prefix, `nil` without one.
        case follow(scene: String?)
        case unfollow
        /// A message; the text of a text message. A tap on a msgmenu entry is one too, but not something the person wrote.
        case message(text: String?, isMenuTap: Bool)
        case menu(key: String)
        case scan(scene: String?)
        /// The person agreed to notifications of templates, or withdrew that: it starts nothing and opens no window.
        case consent([ConsentChange])
        /// A call that starts one flow, with values for its variables.
        case api(variables: [String: String])
    }

    package init(_ kind: Kind, at time: Timestamp) {
        self.kind = kind
        self.time = time
    }

    /// What it opens, `nil` for nothing.
    package var action: GrantingAction? {
        switch kind {
        case .follow: .follow
        case .message(_, let isMenuTap): isMenuTap ? .menu : .message
        case .menu: .menu
        case .scan: .scan
        case .unfollow, .consent, .api: nil
        }
    }

    /// What it changes in the ledger besides windows.
    package var consents: [ConsentChange] {
        if case .consent(let changes) = kind { changes } else { [] }
    }

    /// Whether the person wrote: only that moves `after_message` and counts as an answer.
    package var isWriting: Bool { action == .message }

    package var scene: String? {
        switch kind {
        case .follow(let scene), .scan(let scene): scene
        default: nil
        }
    }
}

/// What a person said about the notifications of one template.
package struct ConsentChange: Sendable, Hashable {
    package var template: String
    /// `true`: one more notification may be sent; `false`: none any more.
    package var isGranted: Bool

    package init(template: String, isGranted: Bool) {
        self.template = template
        self.isGranted = isGranted
    }
}

/// What a flow needs to know about a person at one moment.
package struct FlowPerson: Sendable, Hashable {
    /// The openid.
    package var id: String
    package var isFollowing: Bool
    package var tags: Set<String>
    /// The scene by which the person came, `nil` if by none.
    package var scene: String?
    /// When the person last wrote (not tapped), by the event's own time.
    package var lastWrote: Timestamp?
    /// When the person last followed a tracked link.
    package var lastClicked: Timestamp?
    /// When the business server last reported an event of that name.
    package var events: [String: Timestamp]
    /// What is known for `{{nickname}}` and the like; empty values count as unknown.
    package var variables: [String: String]

    package init(
        id: String,
        isFollowing: Bool = true,
        tags: Set<String> = [],
        scene: String? = nil,
        lastWrote: Timestamp? = nil,
        lastClicked: Timestamp? = nil,
        events: [String: Timestamp] = [:],
        variables: [String: String] = [:]
    ) {
        self.id = id
        self.isFollowing = isFollowing
        self.tags = tags
        self.scene = scene
        self.lastWrote = lastWrote
        self.lastClicked = lastClicked
        self.events = events
        self.variables = variables
    }
}
