import BelfryActivation
import BelfryCore
import BelfryRecords
import BelfryWeChat
import Logging

/// Answers `/wechat/{account}/callback`: believes or refuses, takes in what happened, and answers within WeChat's five seconds.
struct CallbackDesk: Sendable {
    let accounts: AccountBook
    let books: BookFollower
    let intake: Intake
    let reports: NoticeReports
    let clock: any WallClock
    let logger: Logger

    /// WeChat gives up after five seconds and repeats; an answer after that is worth nothing.
    static let patience = Duration.milliseconds(4500)

    func answer(_ request: CallbackRequest) async -> CallbackAnswer {
        if accounts[request.account]?.callback == nil {
            do { try await books.catchUp() } catch {
                logger.error("accounts not read", metadata: ["error": "\(error)"])
                return CallbackAnswer(status: 503, text: "the accounts cannot be read")
            }
        }
        guard let account = accounts[request.account], let callback = account.callback else {
            return CallbackAnswer(status: 404, text: "no such account, or it has no token")
        }
        let now = clock.now()
        do throws(CallbackError) {
            let query = try CallbackQuery(pairs: request.query.map { ($0.name, $0.value) })
            if request.method == "GET" {
                return CallbackAnswer(status: 200, text: try callback.echo(query, now: now))
            }
            let opened = try callback.open(query, body: request.body, now: now)
            return await take(opened, account, callback)
        } catch {
            logger.notice(
                "callback refused",
                metadata: ["account": "\(account.key)", "error": "\(error)"]
            )
            return CallbackAnswer(status: error.status, text: error.code.rawValue)
        }
    }

    private func take(_ opened: OpenedCallback, _ account: Account, _ callback: WeChatCallback)
        async -> CallbackAnswer
    {
        do {
            for report in DeliveryReport.list(opened.inbound, account: account) {
                try await reports.take(report)
            }
            guard let happening = Happening(opened.inbound, account: account) else {
                return CallbackAnswer(status: 200, text: "success")
            }
            let taken = try await intake.take(happening)
            var random = SystemRandomNumberGenerator()
            let reply = taken.reply.flatMap { PassiveReply($0) }
            let answer = callback.answer(reply, to: opened, now: clock.now(), using: &random)
            return CallbackAnswer(
                status: 200,
                contentType: answer.contentType,
                body: Array(answer.body.utf8)
            )
        } catch {
            // WeChat repeats what is not answered with 200: nothing is lost while a store is full or down.
            logger.error(
                "callback not taken in",
                metadata: ["account": "\(account.key)", "error": "\(error)"]
            )
            return CallbackAnswer(status: 503, text: "try again")
        }
    }
}

extension CallbackAnswer {
    init(status: Int, text: String) { self.init(status: status, body: Array(text.utf8)) }
}
