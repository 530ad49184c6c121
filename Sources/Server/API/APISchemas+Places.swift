import BelfryCore

/// Where pushes and records lie, how they are moved and copied.
extension APISchemas {
    static let places: [JSONValue.Member] = [
        .init("NewBackup", object("Where a copy is to be written.", "destination: string")),
        .init(
            "Backup",
            object(
                "A copy, and what it does not contain that a server also needs.",
                "destination: string",
                "bytes: integer",
                "contains: string[]",
                "lacks: string[]",
                "damaged: DamagedBlock[]"
            )
        ),
        .init(
            "DamagedBlock",
            object(
                "A damaged part of the timeline: its pushes are set aside, and damaged in the copy, too.",
                "file: string",
                "offset: integer",
                "bytes: integer",
                "pushes: integer"
            )
        ),
        .init(
            "RecordsMove",
            object(
                "Where the records are to go: sqlite (the data folder's own file) or an address of PostgreSQL.",
                "to: string"
            )
        ),
        .init(
            "RecordsPlace",
            object(
                "Where the records lie, without a password, and how a move stands: none, moving, moved or failed.",
                "place: string",
                "move: string",
                "to: string|null",
                "step: string|null",
                "rows: object",
                "changes: integer|null",
                "held_ms: integer|null",
                "error: string|null"
            )
        ),
        .init(
            "TimelineState",
            object(
                "Where pending pushes are. Phase: single, or joining, moving, leaving, closing while they are being moved.",
                "phase: string",
                "epoch: integer",
                "back: boolean",
                "from: TimelinePlace",
                "to: TimelinePlace|null",
                "left: integer",
                "left_in_flight: integer",
                "arrived: integer|null",
                "moved: integer",
                "problem: string|null",
                "nodes: TimelineNode[]"
            )
        ),
        .init(
            "TimelinePlace",
            object(
                "The data folder (embedded), shards on Redis, or a schema of PostgreSQL.",
                "kind: string",
                "url: string",
                "prefix: string",
                "shards: integer"
            )
        ),
        .init(
            "TimelineNode",
            object(
                "A server over the same records, and the newest arrangement that it works by.",
                "node: string",
                "epoch: integer",
                "alive: boolean",
                "leads: boolean"
            )
        ),
        .init(
            "TimelineMove",
            object(
                "Where to: an address, an empty one for the data folder; without it, the same Redis in other shards.",
                "to?: string",
                "shards?: integer"
            )
        ),
    ]
}
