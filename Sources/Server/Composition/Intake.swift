package import BelfryActivation
package import BelfryCore
package import BelfryRecords
import BelfryWeChat

/// Something that a person did, on its way in.
package struct Happening: Sendable {
    /// Names it: the same in every repetition.
    package var key: String
    package var recipient: Recipient
    package var event: FlowEvent
    package var change: PersonChange
    /// Only these flows may start; `nil`: all that it triggers.
    package var flows: Set<String>?

    package init(
        key: String,
        recipient: Recipient,
        event: FlowEvent,
        change: PersonChange,
        flows: Set<String>? = nil
    ) {
        self.key = key
        self.recipient = recipient
        self.event = event
        self.change = change
        self.flows = flows
    }
}

/// What became of a happening.
package struct IntakeAnswer: Sendable {
    /// It had been seen before; nothing was changed.
    package var isRepetition = false
    /// To be sent inside the answer to the callback.
    package var reply: FlowMessage?
    /// What was scheduled.
    package var planned: [Push] = []
    /// Which flows did not begin, and why.
    package var notEntered: [(flow: String, reason: NotEntered)] = []
    /// How many pending pushes an unsubscribe cancelled.
    package var cancelled = 0
}

/// Takes in what people do: deduplicates, lets flows decide which pushes exist, schedules them, and only then records and answers.
///
/// *Schedule first, then record*: a crash between the two leaves the happening unanswered, its repetition schedules the same pushes under
/// the same ids again, and nothing is lost or doubled. Only why a pending push ends is noted before it is cancelled or replaced: afterwards
/// nothing would be left to tell it by. Happenings are worked on in batches, one batch at a time for each person: one sync of the
/// timeline and one transaction carry hundreds of follows.
package struct Intake: Sendable {
    private let batcher: Batcher<Happening, Recipient, IntakeAnswer>

    init(
        accounts: AccountBook,
        records: Records,
        timeline: any Timeline,
        clock: any WallClock,
        feed: LiveFeed,
        arrivals: ArrivalBook
    ) {
        batcher = Batcher(key: \.recipient) { happenings in
            var batch = IntakeBatch(
                happenings,
                accounts: accounts,
                records: records,
                timeline: timeline,
                feed: feed,
                arrivals: arrivals,
                now: clock.now()
            )
            return await batch.work()
        }
    }

    /// Returns when everything that follows from the happening is durable.
    ///
    /// - Throws: ``TimelineError``, `RecordsError` or ``Batcher/Refusal``; nothing was answered then, and repeating it is safe.
    package func take(_ happening: Happening) async throws -> IntakeAnswer {
        try await batcher.submit(happening)
    }

    /// Works until cancelled and nothing waits any more.
    package func run() async { await batcher.run() }
}
