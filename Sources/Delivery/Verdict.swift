import BelfryCore

/// What a channel's answer means for a push. Pure.
struct Verdict {
    let retry: RetryPolicy
    let sequel: any Sequel
    let unknown: UnknownPolicy
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
        case .refused(let end, let cause): ended(parcel, end, cause)
        case .retry(let after, let cause): again(parcel, after, cause, using: &random)
        case .unknown(let cause):
            // Which attempt was the first unknown one is not kept; only the first of all is surely it.
            unknown == .retryOnce && parcel.claim.attempt == 0
                ? again(parcel, nil, cause, using: &random)
                : accepted(parcel, .unknown, cause: cause, reference: nil)
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
                cause: cause,
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
            cause: cause,
            channel: parcel.channel,
            at: now,
            sentAt: sentAt,
            successors: sequel.successors(of: parcel.claim, outcome: outcome, at: now)
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
        return Closing(
            event: DeliveryEvent(
                claim: claim,
                change: .waits(.retrying, until: at),
                cause: cause,
                channel: parcel.channel,
                at: now,
                sentAt: sentAt,
                reservation: .kept
            ),
            settlement: Settlement(token: claim.token, result: .retry(at: at)),
            recordsFirst: false
        )
    }
}
