/// What is wrong with a write-ahead log: SQLite itself takes everything from the first frame that is not sound on for never written, and says
/// nothing.
///
/// Every commit is synced before the next one is written (`synchronous = FULL`). So a power cut can tear only the last transaction, which nobody
/// was told of; its frames may be there in any part, the one that commits it included. That is ``Verdict/torn``. It is
/// ``Verdict/damaged``, and something acknowledged would be lost, where
///
/// - behind the bad frame some frame commits, and the next one was written after it: its checksum runs on from that commit's. Frames that an
///   earlier round of the log or a transaction that was rolled back has left there carry other salts, or run on from nothing;
/// - or the log's index, which only ever names what was committed and synced, names the bad frame, or frames beyond the end of the file;
/// - or the header is bad and frames run on behind it: it is 32 bytes in one sector, synced before the first frame.
///
/// Damage to the very last transaction that the index (gone with a copy, or old after a power cut) does not name cannot be told from a torn one.
struct LogInspection {
    enum Verdict: Hashable {
        case sound
        /// From this frame on the last transaction is not whole, and is rightly ignored.
        case torn(frame: Int)
        /// The first bad frame, 0 for the header, and why it was good once.
        case damaged(frame: Int, reason: String)
    }

    let log: WriteAheadLog
    let index: LogIndex?

    func verdict() -> Verdict {
        guard log.bytes.count >= WriteAheadLog.headerBytes else { return .sound }
        guard log.hasHeader else { return headless() }
        let bad = firstBad()
        if let index, index.salts == log.salts, index.newest >= bad, index.newest > index.copied {
            let problem = bad > log.frames ? "the file ends before it" : "its checksum is wrong"
            let reason = "\(problem), but \(index.newest) frames were committed"
            return .damaged(frame: bad, reason: reason)
        }
        guard bad <= log.frames else { return .sound }
        if let next = laterTransaction(than: bad) {
            return .damaged(
                frame: bad,
                reason: "its checksum is wrong, but frame \(next) was written after its commit"
            )
        }
        return log.salts(of: bad) == log.salts ? .torn(frame: bad) : .sound
    }

    /// The first frame that SQLite does not read; one more than there are if it reads all.
    func firstBad() -> Int {
        var sum = log.storedHeaderSum
        for frame in stride(from: 1, through: log.frames, by: 1) {
            guard log.salts(of: frame) == log.salts, log.continues(sum, frame) else {
                return frame
            }
            sum = log.storedSum(of: frame)
        }
        return log.frames + 1
    }

    /// A frame that was written when a transaction that ended at `bad` or behind it had been synced.
    private func laterTransaction(than bad: Int) -> Int? {
        stride(from: bad + 1, through: log.frames, by: 1).first { frame in
            log.commit(of: frame - 1) != 0 && log.salts(of: frame) == log.salts
                && log.continues(log.storedSum(of: frame - 1), frame)
        }
    }

    private func headless() -> Verdict {
        let damage = Verdict.damaged(frame: 0, reason: "its checksum is wrong, but frames follow")
        guard log.frames > 0 else { return .sound }
        if log.page(of: 1) != 0, let index, index.newest > index.copied,
            index.salts == log.salts(of: 1)
        {
            return damage
        }
        let said = LogSum().adding(log.bytes[..<24], log.isBigEndian)
        if log.continues(log.storedHeaderSum, 1) || log.continues(said, 1) { return damage }
        let runOn = stride(from: 2, through: log.frames, by: 1).contains { frame in
            log.salts(of: frame) == log.salts(of: frame - 1)
                && log.continues(log.storedSum(of: frame - 1), frame)
        }
        return runOn ? damage : .sound
    }
}
