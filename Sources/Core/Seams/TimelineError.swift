/// Why a timeline could not do what it was asked.
package struct TimelineError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// No room on disk or in memory: retry later; claims, settlements and cancels go on.
        case full
        /// The timeline is shutting down or was never opened.
        case closed
        /// Reading or writing failed; nothing of the call can be relied on as accepted.
        case io
        /// The stored data is damaged: the message names file and offset. `belfry doctor` tells more.
        case corrupt
        /// Another process owns the folder.
        case locked
        /// The files were written by a newer format.
        case newerFormat
        /// The call breaks a documented limit.
        case invalid
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
