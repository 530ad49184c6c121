import BelfryCore
import BelfryPostgresClient
import BelfryRecords
import BelfryRedisClient

/// Where pending pushes lie: the journal of the data folder, shards on Redis, or a schema of PostgreSQL.
package struct TimelinePlace: Sendable, Hashable {
    /// The address, without its password; empty: the data folder.
    package var shown = ""
    /// Under which name the records keep the whole address; empty: it is the configuration's `timeline.url`.
    package var seal = ""
    /// The first word of the keys in Redis, or the schema in PostgreSQL.
    package var prefix = ""
    /// On Redis.
    package var shards = 0
    /// Tells the tokens of two places apart.
    package var mark: UInt8 = 0

    package enum Kind: String, Sendable {
        case embedded
        case redis
        case postgres
    }

    package var kind: Kind {
        if shown.isEmpty { return .embedded }
        return PostgresAddress.isOne(shown) ? .postgres : .redis
    }

    /// As people are told: `redis://127.0.0.1:6379/0, 64 shards of belfry`.
    package var words: String {
        switch kind {
        case .embedded: "the data folder"
        case .redis: "\(shown), \(shards) shards of \(prefix)"
        case .postgres: "\(shown), schema \(prefix)"
        }
    }

    /// What the configuration names.
    init(_ configuration: ServerConfiguration) {
        let url = configuration.timeline.url
        // An address that is wrong was refused when the configuration was read.
        guard !url.isEmpty, let shown = try? Self.shown(url) else { return }
        self.shown = shown
        prefix = configuration.timeline.prefix
        shards = kind == .redis ? configuration.timeline.shards : 0
    }

    /// A place that nothing has ever lain in: its prefix is new, and its mark differs from where pushes are now.
    init(url: String, prefix: String, epoch: Int, shards: Int, after place: TimelinePlace)
        throws(StartFailure)
    {
        mark = 1 - min(place.mark, 1)
        guard !url.isEmpty else { return }
        shown = try Self.shown(url)
        let base = prefix.split(separator: ".").first.map(String.init) ?? prefix
        self.prefix = "\(base)\(kind == .redis ? "." : "_")\(epoch)"
        self.shards = kind == .redis ? shards : 0
    }

    /// An address without its password.
    ///
    /// - Throws: ``StartFailure``, which says what is wrong with it.
    static func shown(_ url: String) throws(StartFailure) -> String {
        guard !url.isEmpty else { return "" }
        do {
            if PostgresAddress.isOne(url) { return try PostgresAddress(url).description }
            return try RedisAddress(url).description
        } catch let error as TimelineError {
            throw StartFailure(.misconfigured, "timeline.url: \(error.message)")
        } catch {
            throw StartFailure(.misconfigured, "timeline.url: \(error)")
        }
    }

    // MARK: As the records keep it

    var json: JSONValue {
        [
            "url": .string(shown), "seal": .string(seal), "prefix": .string(prefix),
            "shards": .count(shards), "mark": .count(Int(mark)),
        ]
    }

    init?(_ json: JSONValue?) {
        guard let json, let shown = json["url"]?.string, let seal = json["seal"]?.string,
            let prefix = json["prefix"]?.string, let shards = json["shards"]?.integer,
            let mark = json["mark"]?.integer, 0...1 ~= mark
        else { return nil }
        self.shown = shown
        self.seal = seal
        self.prefix = prefix
        self.shards = Int(shards)
        self.mark = UInt8(mark)
    }
}
