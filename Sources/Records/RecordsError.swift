/// Why the records could not do what they were asked.
///
/// The engine decides on ``code`` alone; ``message`` is for people, and never holds a secret or a bound value.
package struct RecordsError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        /// No room on disk, or more writes are waiting than are taken: retry later. Reads go on.
        case full
        /// The records were closed.
        case closed
        /// The file is damaged, or no database at all: restore a copy, `belfry doctor` tells more.
        case corrupt
        /// The file or its folder may not be written.
        case readOnly = "read_only"
        /// Somebody else changed it first, or such a thing exists already.
        case conflict
        /// The call breaks a documented limit; the message names the field.
        case invalid
        /// The file was written by a newer version of the program.
        case newerFormat = "newer_format"
        /// The records are in force in another place: they were moved, or a move to here was cut off.
        case elsewhere
        /// Reading or writing failed; nothing of the call can be relied on as written.
        case io
    }

    package var code: Code
    package var message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { "\(code.rawValue): \(message)" }
}
