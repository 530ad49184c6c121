package import BelfryCore

/// Accepts everything and sends nothing: what remains is the cost of the way here.
package struct NullChannel: Channel {
    package let name: String
    package var isBatching: Bool { true }

    package init(name: String = "null") { self.name = name }

    package func send(_ messages: [OutboundMessage]) async -> [SendOutcome] {
        Array(repeating: .sent(reference: nil), count: messages.count)
    }
}
