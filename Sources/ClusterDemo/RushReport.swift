import BelfryCore

/// What came of a rush, counted from what the broker handed out.
package struct RushReport: Sendable, Codable, Equatable {
    /// How late messages were, in milliseconds, by their first arrival.
    package struct Lateness: Sendable, Codable, Equatable {
        package var p50: Int
        package var p99: Int
        package var max: Int
    }

    package var people: Int
    package var cancels: Int
    package var comebacks: Int
    /// How many were promised a message.
    package var promised: Int
    package var messages: Int
    /// Promised, and no message came.
    package var lost = 0
    /// Pushes that were still to be sent when nobody wanted to wait any longer; they count as lost, too.
    package var pending: Int
    /// Came before the opening.
    package var early = 0
    /// Came although none was promised.
    package var unwanted = 0
    /// Messages beyond the first of a person.
    package var doubled = 0
    /// How many the killed worker held when it was killed; where that could not be seen by itself, how many all of them held.
    package var held: Int
    package var lateness: Lateness
    /// From the opening until everybody who was promised a message had one, in milliseconds.
    package var took: Int

    /// Judges what came.
    init(_ crowd: Crowd, _ arrivals: [QueueWatch.Arrival], opening: Timestamp, _ sight: Rush.Sight)
    {
        people = crowd.people
        cancels = crowd.cancels
        comebacks = crowd.comebacks
        promised = crowd.told
        messages = arrivals.count
        held = sight.held
        pending = sight.pending
        var first = [Timestamp?](repeating: nil, count: crowd.people)
        for arrival in arrivals {
            if arrival.at < opening { early += 1 }
            if first[arrival.person] != nil {
                doubled += 1
            } else {
                first[arrival.person] = arrival.at
            }
        }
        for (came, promise) in zip(first, crowd.promises) {
            if promise == .told, came == nil { lost += 1 }
            if promise == .untold, came != nil { unwanted += 1 }
        }
        let late = first.compactMap { $0 }.map { Int(($0 - opening).milliseconds) }.sorted()
        func rank(_ part: Double) -> Int {
            late.isEmpty ? 0 : late[min(late.count - 1, Int(part * Double(late.count)))]
        }
        lateness = Lateness(p50: rank(0.5), p99: rank(0.99), max: late.last ?? 0)
        took = late.last ?? 0
    }

    /// Nobody was forgotten, told too early, told against their word, or told twice without a reason.
    package var isClean: Bool {
        lost == 0 && early == 0 && unwanted == 0 && pending == 0 && doubled <= held
    }

    /// For people.
    package var text: String {
        """
        \(people) people subscribed, \(cancels) cancelled, \(comebacks) of them came back
        promised   \(promised)
        messages   \(messages)
        lost       \(lost)\(pending == 0 ? "" : "  (\(pending) are still pending: this machine is too slow for so many)")
        early      \(early)
        unwanted   \(unwanted)
        doubled    \(doubled)  (the killed worker held \(held))
        lateness   p50 \(lateness.p50) ms, p99 \(lateness.p99) ms, max \(lateness.max) ms
        \(isClean ? "Nobody was lost, early, or told against their word." : "The promises were NOT kept.")
        """
    }
}
