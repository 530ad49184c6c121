import BelfryCore
import BelfryRecords
import Logging

extension LinkRecord {
    /// Notes at the person that a link was followed: flows may have that for a goal.
    func noteClick(in records: Records, at time: Timestamp, _ logger: Logger) async {
        do {
            try await records.people.update(recipient) { person in
                person.note(event: PersonRecord.click, at: time)
            }
        } catch {
            // The click itself is counted; only a goal may be reached later than it was.
            logger.error("a click was not noted", metadata: ["error": "\(error)"])
        }
    }
}
