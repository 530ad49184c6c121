import BelfryCore
import BelfryMoving
import BelfryRecords

/// What is being moved, written down in the records.
struct RecordedHand: MoveHand {
    let records: Records
    /// Several servers may be over the same records.
    let isShared: Bool

    func take(_ pushes: [Pending]) async throws(TimelineError) {
        do throws(RecordsError) { try await records.moving.add(pushes) } catch {
            throw TimelineError(error)
        }
    }

    func pushes() async throws(TimelineError) -> [Pending] {
        do throws(RecordsError) { return try await records.moving.all() } catch {
            throw TimelineError(error)
        }
    }

    func strike(_ ids: [PushID]) async throws(TimelineError) {
        do throws(RecordsError) { try await records.moving.remove(ids) } catch {
            throw TimelineError(error)
        }
    }

    func holds(_ ids: [PushID], mergingWith pushes: [Push]) async throws(TimelineError) -> Bool {
        do throws(RecordsError) {
            return try await records.moving.holds(ids, mergingWith: pushes)
        } catch { throw TimelineError(error) }
    }
}

extension TimelineError {
    /// What the records could not do while pushes are moved.
    init(_ error: RecordsError) {
        let code: Code = error.code == .full ? .full : error.code == .closed ? .closed : .io
        self.init(code, "records: \(error.message)")
    }
}
