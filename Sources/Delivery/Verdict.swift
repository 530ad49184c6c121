import BelfryCore

/// What a channel's answer means for a push. Pure.
struct Verdict {
    let retry: RetryPolicy
    let sequel: any Sequel
    let unknown: UnknownPolicy
    let endpoint: Endpoint
    /// The endpoint's circuit, if it is open.
    let circuit: CircuitState.Open?
    /// When the messages were handed over.
    let sentAt: Timestamp
    let now: Timestamp

    func closing(
        _ parcel: Parcel,
        _ outcome: SendOutcome,
        using random: inout some RandomNumberGenerator
    ) -> Closing {
        switch outcome {
        case .sent(let reference): accepted(parcel, .sent, cause: nil, reference: reference)
        case .refused(let end, let cause):
            mayGoOn(parcel.claim, after: end)
                ? turned(parcel, end, cause) : ended(parcel, end, cause)
        case .retry(let after, let cause): again(parcel, after, cause, using: &random)
        case .unreachable(let after, let cause):
            circuit.map { held(parcel, $0, using: &random) }
                ?? again(parcel, after, cause, using: &random)
        case .unknown(let cause):
            // Which attempt was the first unknown one is not kept; only the first of all is surely it.
            unknown == .retryOnce && parcel.claim.attempt == 0
                ? again(parcel, nil, cause, using: &random)
                : accepted(parcel, .unknown, cause: cause, reference: nil)
        case .repeatable(let within, let cause): repeated(parcel, within, cause, using: &random)
        case .stopAccount(let cause):
            .hold(
                parcel.claim,
                .heldPaused,
                until: now + .milliseconds(Int64.random(in: 1_000...2_000, using: &random)),
                cause: cause,
                channel: parcel.channel,
                at: now,
                reservation: .released
            )
        }
    }

    /// Nobody was there, for any message: it uses no attempt up.
    private func held(
        _ parcel: Parcel,
        _ circuit: CircuitState.Open,
        using random: inout some RandomNumberGenerator
    ) -> Closing {
        .hold(
            parcel,
            for: circuit,
            of: endpoint,
            until: circuit.lookAgain(now, using: &random),
            at: now,
            sentAt: sentAt
        )
    }

    private func accepted(
        _ parcel: Parcel,
        _ outcome: Outcome,
        cause: SendCause?,
        reference: String?
    ) -> Closing {
        let successors = sequel.successors(of: parcel.claim, outcome: outcome, at: now)
        return Closing(
            event: DeliveryEvent(
                claim: parcel.claim,
                change: .ended(outcome),
                cause: cause?.noting(parcel.note) ?? parcel.note,
                channel: parcel.channel,
                at: now,
                sentAt: sentAt,
                reference: reference,
                reservation: .used,
                successors: successors
            ),
            settlement: Settlement(
                token: parcel.claim.token,
                result: .done,
                successors: successors
            ),
            recordsFirst: false
        )
    }

    private func ended(_ parcel: Parcel, _ outcome: Outcome, _ cause: SendCause) -> Closing {
        .end(
            parcel.claim,
            outcome,
            cause: cause.noting(parcel.note),
            channel: parcel.channel,
            at: now,
            sentAt: sentAt,
            successors: sequel.successors(of: parcel.claim, outcome: outcome, at: now)
        )
    }

    private func mayGoOn(_ claim: Claim, after refusal: Outcome) -> Bool {
        claim.attempt + 1 < retry.attempts && !claim.push.isExpired(now)
            && sequel.hasOtherWay(claim, after: refusal)
    }

    /// Back to the gates at once, when what the refusal teaches is on record.
    private func turned(_ parcel: Parcel, _ refusal: Outcome, _ cause: SendCause) -> Closing {
        Closing(
            event: DeliveryEvent(
                claim: parcel.claim,
                change: .waits(.heldWindow, until: now),
                cause: cause.noting(parcel.note),
                channel: parcel.channel,
                at: now,
                sentAt: sentAt,
                reservation: .released,
                refusal: refusal
            ),
            settlement: Settlement(token: parcel.claim.token, result: .retry(at: now)),
            recordsFirst: true
        )
    }

    private func again(
        _ parcel: Parcel,
        _ after: Duration?,
        _ cause: SendCause,
        using random: inout some RandomNumberGenerator
    ) -> Closing {
        let claim = parcel.claim
        guard claim.attempt + 1 < retry.attempts else { return ended(parcel, .dead, cause) }
        let at = now + retry.delay(after: claim.attempt, asked: after, using: &random)
        // It would only be claimed to expire; what stood in the way is known now.
        if let expires = claim.push.expires, expires <= at {
            return ended(parcel, .expired, cause)
        }
        return waiting(parcel, until: at, cause, .kept)
    }

    /// Tried again while the other side would know it again; whoever decides whether the time for that is over is the gate, which
    /// knows when the first try was.
    private func repeated(
        _ parcel: Parcel,
        _ within: Duration,
        _ cause: SendCause,
        using random: inout some RandomNumberGenerator
    ) -> Closing {
        let claim = parcel.claim
        let at = now + retry.delay(after: claim.attempt, asked: nil, using: &random)
        let isLate = at - sentAt >= within || claim.push.expires.map { $0 <= at } ?? false
        guard claim.attempt + 1 < retry.attempts, !isLate else {
            return accepted(parcel, .unknown, cause: cause, reference: nil)
        }
        return waiting(parcel, until: at, cause, .uncertain)
    }

    private func waiting(
        _ parcel: Parcel,
        until at: Timestamp,
        _ cause: SendCause,
        _ reservation: DeliveryEvent.Reservation
    ) -> Closing {
        Closing(
            event: DeliveryEvent(
                claim: parcel.claim,
                change: .waits(.retrying, until: at),
                cause: cause,
                channel: parcel.channel,
                at: now,
                sentAt: sentAt,
                reservation: reservation
            ),
            settlement: Settlement(token: parcel.claim.token, result: .retry(at: at)),
            recordsFirst: false
        )
    }
}

extension SendCause {
    /// The same cause, with why the message had gone this way.
    func noting(_ note: SendCause?) -> SendCause {
        guard let note else { return self }
        return SendCause(code: code, message: "\(message) (\(note.message))", remedy: remedy)
    }
}
