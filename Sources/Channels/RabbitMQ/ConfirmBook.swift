import BelfryCore

/// Which messages of a batch the broker has spoken of. Confirms come in any order, one by one or for all up to one
/// ([publisher confirms](https://www.rabbitmq.com/docs/confirms)).
struct ConfirmBook {
    /// The tag of the first message.
    private let first: UInt64
    private(set) var fates: [RabbitMQFate]
    private var isSettled: [Bool]
    /// How many are open, and the first of them.
    private var open: Int
    private var next = 0

    /// - Parameter fates: what each becomes if nothing is heard of it.
    init(first: UInt64, fates: [RabbitMQFate]) {
        self.first = first
        self.fates = fates
        isSettled = fates.map { if case .unsent = $0 { true } else { false } }
        open = isSettled.count { !$0 }
    }

    var isOpen: Bool { open > 0 }

    /// - Parameter multiple: all up to this one.
    mutating func settle(_ tag: UInt64, _ multiple: Bool, _ fate: RabbitMQFate) {
        guard tag >= first, tag - first < UInt64(fates.count) else { return }
        let last = Int(tag - first)
        for index in (multiple ? min(next, last) : last)...last where !isSettled[index] {
            // A message that came back is confirmed as well: the broker has done with it.
            if case .unroutable = fates[index] {} else { fates[index] = fate }
            isSettled[index] = true
            open -= 1
        }
        while next < isSettled.count, isSettled[next] { next += 1 }
    }

    /// No queue takes the message with this id; its confirm follows.
    mutating func giveBack(_ id: String, _ text: String, _ messages: [OutboundMessage]) {
        // Rare: an exchange without a queue is a mistake of the set-up.
        for index in messages.indices where !isSettled[index] && messages[index].wireID == id {
            fates[index] = .unroutable(text)
        }
    }

    /// Of all that are open nothing more will be heard.
    mutating func lose(_ text: String) {
        for index in fates.indices where !isSettled[index] {
            if case .lost = fates[index] { fates[index] = .lost(text) }
        }
    }
}
