package import BelfryCore

/// Names the permission that one version of a push holds: a push that is claimed again after a crash finds what it reserved before.
package struct ReservationKey: Sendable, Hashable {
    package var recipient: Recipient
    package var push: PushID
    /// ``BelfryCore/Claim/sequence``.
    package var sequence: UInt64

    package init(recipient: Recipient, push: PushID, sequence: UInt64) {
        self.recipient = recipient
        self.push = push
        self.sequence = sequence
    }
}

/// Which message of a person's permission a push holds.
package struct Reservation: Sendable, Hashable {
    /// ``BelfryCore/Grant/source`` and ``BelfryCore/Grant/granted`` of the grant that it was taken from; of the first one, if of several.
    package var source: String
    package var granted: Timestamp
    /// ``BelfryCore/GrantUse/time`` of the use, which knows all grants that it was taken from. `nil`: made by a version of the program
    /// that knew one only.
    package var taken: Timestamp?
    /// When the push that holds it was last let go.
    package var made: Timestamp
    /// Which process let it go; `nil`: none that said so.
    package var maker: ReservationMaker?
    /// `nil`: made by a version of the program that did not keep it.
    package var send: ReservedSend?

    package init(
        source: String,
        granted: Timestamp,
        taken: Timestamp? = nil,
        made: Timestamp,
        maker: ReservationMaker? = nil,
        send: ReservedSend? = nil
    ) {
        self.source = source
        self.granted = granted
        self.taken = taken
        self.made = made
        self.maker = maker
        self.send = send
    }
}

/// One life of a server.
package struct ReservationMaker: Sendable, Hashable {
    /// ``NodeRecord/node``.
    package var node: String
    package var began: Timestamp

    package init(node: String, began: Timestamp) {
        self.node = node
        self.began = began
    }

    init?(_ text: String) {
        guard let dash = text.lastIndex(of: "@"), let began = Int64(text[dash...].dropFirst())
        else { return nil }
        self.init(node: String(text[..<dash]), began: Timestamp(milliseconds: began))
    }

    var text: String { "\(node)@\(began.milliseconds)" }
}

/// The send that a reservation is for: enough to tell how it ended when nobody else can any more.
package struct ReservedSend: Sendable, Hashable {
    package var channel: String
    package var due: Timestamp
    /// ``BelfryCore/Claim/attempt``.
    package var attempt: Int
    package var flow: String?
    package var step: String?

    package init(
        channel: String,
        due: Timestamp,
        attempt: Int,
        flow: String? = nil,
        step: String? = nil
    ) {
        self.channel = channel
        self.due = due
        self.attempt = attempt
        self.flow = flow
        self.step = step
    }
}

/// The part of the permission ledger that one decision looks at and changes. What to decide is not this module's business.
package struct Ledger: Sendable {
    /// The people asked about that are known.
    package private(set) var people: [Recipient: PersonRecord]
    /// The reservations asked about that exist.
    package private(set) var reservations: [ReservationKey: Reservation]
    /// The time of the transaction.
    package let now: Timestamp
    private(set) var changedPeople: Set<Recipient> = []
    private(set) var changedReservations: Set<ReservationKey> = []

    package init(
        people: [Recipient: PersonRecord],
        reservations: [ReservationKey: Reservation],
        now: Timestamp
    ) {
        self.people = people
        self.reservations = reservations
        self.now = now
    }

    /// A person's grants. Setting those of an unknown person makes the person known.
    package subscript(grants recipient: Recipient) -> [Grant] {
        get { people[recipient]?.grants ?? [] }
        set {
            if newValue == self[grants: recipient] { return }
            people[recipient, default: PersonRecord(recipient: recipient, created: now)].grants =
                newValue
            changedPeople.insert(recipient)
        }
    }

    /// The uses of a person's grants; set together with ``subscript(grants:)``.
    package subscript(uses recipient: Recipient) -> [GrantUse] {
        get { people[recipient]?.uses ?? [] }
        set {
            if newValue == self[uses: recipient] { return }
            people[recipient, default: PersonRecord(recipient: recipient, created: now)].uses =
                newValue
            changedPeople.insert(recipient)
        }
    }

    /// A push's reservation; `nil` gives it back.
    package subscript(reservation key: ReservationKey) -> Reservation? {
        get { reservations[key] }
        set {
            if newValue == reservations[key] { return }
            reservations[key] = newValue
            changedReservations.insert(key)
        }
    }
}
