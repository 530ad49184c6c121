package import BelfryCore
import BelfryPostgresClient

extension PostgresTimeline {
    /// One statement for all settlements and their successors, which happen together.
    package func settle(_ settlements: [Settlement]) async throws(TimelineError) -> [SettleOutcome]
    {
        guard !settlements.isEmpty else { return [] }
        let call = try SettleCall(settlements)
        var parameters = moment
        parameters.append(PushLimits.horizon.milliseconds)
        call.add(to: &parameters)
        let sql = "SELECT * FROM settle(\(Self.places(parameters)))"
        let answer = try await change(sql, parameters)
        guard answer.outcomes.count == call.tokens.count else {
            throw TimelineError(.corrupt, "PostgreSQL gave \(answer.outcomes.count) outcomes")
        }
        var outcomes = [SettleOutcome](repeating: .stale, count: settlements.count)
        for (index, code) in zip(call.firsts, answer.outcomes) {
            outcomes[index] = try Self.known(code)
        }
        return outcomes
    }

    package func cancel(_ ids: [PushID]) async throws(TimelineError) -> [CancelOutcome] {
        guard !ids.isEmpty else { return [] }
        var parameters = moment
        parameters.append(Self.texts(of: ids))
        var codes = try await ask { [parameters] connection throws(PostgresFailure) in
            Self.codes(try connection.query("SELECT * FROM cancel($1, $2, $3)", parameters))
        }
        var outcomes: [CancelOutcome] = []
        for id in ids {
            let outcome: CancelOutcome = try codes[id.text].map(Self.known) ?? .gone
            // What is mentioned again has ended by then.
            if outcome == .cancelled { codes[id.text] = nil }
            if outcome == .inFlightParked {
                codes[id.text] = Int64(CancelOutcome.inFlight.rawValue)
            }
            outcomes.append(outcome)
        }
        return outcomes
    }
}

/// Settlements as `settle` takes them. A token that is there twice is settled once; the second is stale.
private struct SettleCall {
    var tokens: [ClaimToken] = []
    /// Where in the call each of `tokens` was first mentioned.
    var firsts: [Int] = []
    private var results: [Int16] = []
    private var whens: [Int64] = []
    /// Whose successor each push is: its settlement's place among `tokens`, from 1 on.
    private var places: [Int32] = []
    private var successors = PushColumns()

    init(_ settlements: [Settlement]) throws(TimelineError) {
        var seen: Set<ClaimToken> = []
        for (index, settlement) in settlements.enumerated() {
            let batch = try Self.batch(settlement)
            guard seen.insert(settlement.token).inserted else { continue }
            tokens.append(settlement.token)
            firsts.append(index)
            let (code, when) = Self.words(settlement.result)
            results.append(code)
            whens.append(when.milliseconds)
            successors.append(batch)
            places += Array(repeating: Int32(tokens.count), count: batch.count)
        }
    }

    func add(to parameters: inout PostgresParameters) {
        parameters.append(tokens.map(\.id.text))
        parameters.append(tokens.map { Int64(bitPattern: $0.generation) })
        parameters.append(results)
        parameters.append(whens)
        parameters.append(places)
        successors.add(to: &parameters)
    }

    private static func words(_ result: Settlement.Result) -> (Int16, Timestamp) {
        switch result {
        case .done, .dead: (0, Timestamp(milliseconds: 0))
        case .retry(let due): (1, due)
        case .hold(let due): (2, due)
        }
    }

    private static func batch(_ settlement: Settlement) throws(TimelineError) -> PushBatch {
        guard let person = settlement.successors.first?.recipient else { return PushBatch() }
        for push in settlement.successors where push.recipient != person {
            throw TimelineError(.invalid, "successor \(push.id): is for another recipient")
        }
        do { return try PushBatch(settlement.successors) } catch {
            throw TimelineError(.invalid, "successor: \(error)")
        }
    }
}
