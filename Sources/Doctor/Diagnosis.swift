/// One thing that was looked at.
package struct Diagnosis: Sendable, Hashable, Codable {
    /// `folder`, `timeline`, `records`, `secrets`, `disk`, `clock`.
    package var area: String
    package var verdict: Verdict
    package var message: String
    /// What to do about it; empty where nothing is needed.
    package var remedy: String

    package enum Verdict: String, Sendable, Hashable, Codable {
        case well
        /// Works, but should not stay so.
        case warning
        /// The server cannot rely on it.
        case damaged
        /// Could not be looked at, because this user may not read it, or nobody has said where it is; it may be sound.
        case unreadable
        /// Could not be looked at, because a server is using the folder.
        case busy
    }

    package init(_ area: String, _ verdict: Verdict, _ message: String, remedy: String = "") {
        self.area = area
        self.verdict = verdict
        self.message = message
        self.remedy = remedy
    }
}
