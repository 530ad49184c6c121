import BelfryCore
package import Logging

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

extension Logger {
    /// A logger to standard error, as `log.level` and `log.format` say.
    package init(_ configuration: ServerConfiguration.Log) {
        self.init(label: "belfry") { label in
            switch configuration.format {
            case .text: StreamLogHandler.standardError(label: label)
            case .json: JSONLogHandler(label: label)
            }
        }
        logLevel = Level(rawValue: configuration.level) ?? .info
    }
}

/// One JSON object a line: `time`, `level`, `message`, then the metadata.
struct JSONLogHandler: LogHandler {
    let label: String
    var logLevel = Logger.Level.info
    var metadata = Logger.Metadata()

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var members: [JSONValue.Member] = [
            .init("time", .time(SystemClock().now())),
            .init("level", .string(event.level.rawValue)),
            .init("logger", .string(label)), .init("message", .string(event.message.description)),
        ]
        if let error = event.error { members.append(.init("error", .string("\(error)"))) }
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            members.append(.init(key, .string(value.description)))
        }
        let line = JSONValue.object(members).bytes + [UInt8(ascii: "\n")]
        // One call, so that lines of several threads do not mix; a log that cannot be written has nowhere to say so.
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
