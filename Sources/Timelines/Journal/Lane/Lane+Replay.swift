import BelfryCore

extension Lane {
    /// Does again what a frame says, whose body lies at `offset` of its segment. The frame's checksum has been verified.
    ///
    /// - Throws: `corrupt` if it does not fit what came before: something between is missing.
    mutating func replay(
        _ frame: Frame,
        _ body: UnsafeRawBufferPointer,
        at offset: Int,
        _ source: String
    ) throws(TimelineError) {
        if isLenient {
            highestSequence = max(highestSequence, sequence)
            sequence = frame.sequence
        }
        guard frame.sequence == sequence else {
            throw TimelineError(
                .corrupt,
                "\(source): push \(frame.sequence) follows where \(sequence) was expected"
            )
        }
        var isWhole = true
        switch Frame.Kind(rawValue: frame.kind) {
        case .schedule: isWhole = replaySchedule(frame, body, offset)
        case .cancel: isWhole = replayCancel(frame, body)
        case .settle: isWhole = try replaySettle(frame, body, offset)
        case nil: isWhole = false
        }
        guard isWhole else { throw TimelineError(.corrupt, "\(source): the record is malformed") }
    }

    private mutating func replaySchedule(
        _ frame: Frame,
        _ body: UnsafeRawBufferPointer,
        _ offset: Int
    ) -> Bool {
        let count = Int(frame.count)
        let bytes = body.count - (frame.hasOutcomes == 1 ? count : 0)
        guard bytes > 0 else { return false }
        var decided: [ScheduleOutcome]?
        if frame.hasOutcomes == 1 {
            decided = outcomes(UnsafeRawBufferPointer(rebasing: body[bytes...]))
            if decided == nil { return false }
        }
        let records = UnsafeRawBufferPointer(rebasing: body[..<bytes])
        return replayPushes(records, count: count, now: frame.now, at: offset, decided)
    }

    private mutating func replayPushes(
        _ records: UnsafeRawBufferPointer,
        count: Int,
        now: Int64,
        at offset: Int,
        _ decided: [ScheduleOutcome]?
    ) -> Bool {
        guard Lane.areWhole(records, count: count), let start = records.baseAddress else {
            return false
        }
        _ = accept(
            Acceptance(
                records: start,
                hashes: ScheduleCall.hashes(start, count, key).hashes,
                now: now,
                journalled: offset,
                decided: decided
            )
        )
        return true
    }

    private mutating func replayCancel(_ frame: Frame, _ body: UnsafeRawBufferPointer) -> Bool {
        var reader = ByteReader(body)
        for _ in 0..<frame.count {
            let id = reader.take(Int(reader.take(UInt16.self, or: 0)))
            if reader.isShort { return false }
            _ = cancel(key.hash(id))
        }
        return true
    }

    private mutating func replaySettle(
        _ frame: Frame,
        _ body: UnsafeRawBufferPointer,
        _ offset: Int
    ) throws(TimelineError) -> Bool {
        var reader = ByteReader(body)
        for _ in 0..<frame.count {
            let head = reader.take(SettleEntry.bytes)
            if reader.isShort { return false }
            let entry = head.loadUnaligned(as: SettleEntry.self)
            let id = reader.take(Int(entry.idLength))
            let start = offset + reader.offset
            let records = reader.take(Int(entry.successorBytes))
            let decided = outcomes(reader.take(Int(entry.successors)))
            guard !reader.isShort, let decided else { return false }
            let hash = key.hash(id)
            switch (SettleEntry.Effect(rawValue: entry.effect), slot(of: hash)) {
            case (.none?, _): break
            case (.remove, let slot?): remove(slot: slot, hash: hash)
            case (.retry, let slot?): try replayRetry(slot, entry)
            // What it ends was accepted by a record that is missing.
            case (.remove, nil) where isLenient, (.retry, nil) where isLenient: break
            case (.remove, nil), (.retry, nil), (nil, _): return false
            }
            if entry.successors > 0,
                !replayPushes(
                    records,
                    count: Int(entry.successors),
                    now: frame.now,
                    at: start,
                    decided
                )
            {
                return false
            }
        }
        return true
    }

    /// What was lent again later lay in a block that is damaged now: it stays set aside there.
    private mutating func replayRetry(_ slot: UInt32, _ entry: SettleEntry) throws(TimelineError) {
        do throws(TimelineError) {
            retry(try bringNear(slot), due: entry.due, attempt: entry.attempt)
        } catch {
            guard error.code == .corrupt, !slots.pointer(slot).pointee.isDrafted else {
                throw error
            }
        }
    }

    private func outcomes(_ bytes: UnsafeRawBufferPointer) -> [ScheduleOutcome]? {
        var outcomes: [ScheduleOutcome] = []
        for byte in bytes {
            guard let outcome = ScheduleOutcome(rawValue: byte) else { return nil }
            outcomes.append(outcome)
        }
        return outcomes
    }

    /// Whether exactly `count` whole records fill the buffer.
    static func areWhole(_ bytes: UnsafeRawBufferPointer, count: Int) -> Bool {
        bytes.withMemoryRebound(to: UInt8.self) { buffer in
            var offset = 0
            var found = 0
            while offset < buffer.count {
                guard let record = PushRecord(buffer.span, at: offset) else { return false }
                offset += record.length
                found += 1
            }
            return found == count
        }
    }
}
