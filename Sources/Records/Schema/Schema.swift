/// The tables of the records, as the steps that made them.
///
/// Rules: a published step never changes. Keys are those that callers have in hand (an account's key, an openid, a push id), so that
/// writing needs no look-up first. Times are milliseconds since 1970. What a person is known by lies in `people`, `reservations`,
/// `deliveries`, `insiders`, `reminders`, `links` and `dead_letters`, where erasing finds it; in `moving`, for moments, as in the timeline; `erasures` holds nothing that a person could be known by.
package enum Schema {
    package static let migrations: [SQLMigration] = [
        first, second, third, fourth, fifth, sixth, seventh, eighth, ninth, tenth,
        eleventh,
    ]
}
