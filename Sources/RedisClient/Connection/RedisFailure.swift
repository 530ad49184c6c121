package import BelfryCore

/// Why a call to a Redis server failed: what the server said, or what became of the connection.
package struct RedisFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// What a caller decides by.
    package enum Code: Sendable, Hashable {
        /// The slot has moved for good: ask the node named, and learn the new map.
        case moved(slot: Int, node: String)
        /// The slot is on its way to the node named, and this key is not here: nothing was done.
        case ask(slot: Int, node: String)
        /// The keys of a slot that is moving lie on two nodes: again in a moment.
        case tryAgain
        /// The server reads its data set after a start: again in a moment.
        case loading
        /// A replica: the primary is elsewhere.
        case readOnly
        /// A replica that has lost its primary.
        case masterDown
        /// The script is not known to this server: load it and call again. Nothing was done.
        case noScript
        /// The shard was last at another server, or the server has started again: it must be adopted first. Nothing was done.
        case stranger
        /// Part of the slots has no node.
        case clusterDown
        /// A script of somebody runs for too long.
        case busy
        /// `maxmemory` is reached: nothing that needs memory is accepted.
        case outOfMemory
        /// The server cannot write to its disk, and takes no writes therefore.
        case diskFailed
        /// Fewer replicas than `min-replicas-to-write` are in touch.
        case noReplicas
        /// Wrong name or password, or the user may not do this.
        case denied
        /// The server cannot do what a setting asks for.
        case unfit
        /// Anything else that the server says: a defect of ours or of its set-up.
        case refused
        /// There is no connection, and nothing was sent.
        case notConnected
        /// The connection broke, or gave no answer in time, after something may have been sent.
        case noAnswer
        /// What came was no Redis protocol.
        case garbled
        /// The connection was closed by its owner.
        case closed
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}

extension RedisFailure {
    /// Reads an error line of the server: a word in capitals, then text.
    init(line: String) {
        let words = line.split(separator: " ", maxSplits: 3)
        self.init(Self.code(of: words), line)
    }

    private static func code(of words: [Substring]) -> Code {
        switch words.first {
        case "MOVED", "ASK":
            guard words.count >= 3, let slot = Int(words[1]) else { return .refused }
            let node = String(words[2])
            return words[0] == "ASK"
                ? .ask(slot: slot, node: node) : .moved(slot: slot, node: node)
        case "TRYAGAIN": return .tryAgain
        case "LOADING": return .loading
        case "READONLY": return .readOnly
        case "MASTERDOWN": return .masterDown
        case "NOSCRIPT": return .noScript
        case "STRANGER": return .stranger
        case "CLUSTERDOWN": return .clusterDown
        case "BUSY": return .busy
        case "OOM": return .outOfMemory
        case "MISCONF": return .diskFailed
        case "NOREPLICAS": return .noReplicas
        case "NOAUTH", "WRONGPASS", "NOPERM": return .denied
        default: return .refused
        }
    }

    /// What the timeline's callers are told.
    package var timelineError: TimelineError {
        switch code {
        case .outOfMemory: TimelineError(.full, "Redis: \(message)")
        case .diskFailed: TimelineError(.full, "Redis cannot write to its disk: \(message)")
        case .closed: TimelineError(.closed, message)
        case .unfit: TimelineError(.invalid, message)
        case .garbled: TimelineError(.corrupt, "Redis: \(message)")
        default: TimelineError(.io, "Redis: \(message)")
        }
    }
}
