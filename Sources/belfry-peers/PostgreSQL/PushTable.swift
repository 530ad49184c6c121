import BelfryBench
import BelfryCore

/// The statements, and the parameters of one of them in PostgreSQL's binary form.
enum PushTable {
    static let definition = """
        create table pushes (
            id text primary key,
            due bigint not null,
            state smallint not null default 0,
            payload bytea not null
        );
        create index pushes_due on pushes (due, id) where state = 0;
        """

    /// The newest version of an id replaces the others.
    static let insert = """
        insert into pushes (id, due, payload)
        select * from unnest($1::text[], $2::bigint[], $3::bytea[])
        on conflict (id) do update set due = excluded.due, payload = excluded.payload
        """

    /// The three parameters of ``insert`` for these pushes.
    static func arrays(_ serials: Range<Int>) -> [[UInt8]] {
        let now = SystemClock().now()
        return [
            array(of: 25, serials.map { BenchPushes.id($0) }),
            array(of: 20, serials.map { big((now + BenchPushes.delay($0)).milliseconds) }),
            array(of: 17, serials.map { _ in BenchPushes.payload }),
        ]
    }

    /// One dimension, no nulls, indices from 1 on; each element with its length (array_recv in PostgreSQL's arrayfuncs.c).
    ///
    /// - Parameter type: of the elements, as in pg_type: 17 bytea, 20 bigint, 25 text.
    private static func array(of type: Int32, _ elements: [[UInt8]]) -> [UInt8] {
        var bytes = big(Int32(1)) + big(Int32(0)) + big(type) + big(Int32(elements.count))
        bytes += big(Int32(1))
        for element in elements { bytes += big(Int32(element.count)) + element }
        return bytes
    }

    private static func big(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}
