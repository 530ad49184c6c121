import BelfryCore
import BelfryWeChat
import Testing

@Suite("Passive replies")
struct PassiveReplyTests {
    private let head = InboundHead(account: "gh_1", openID: "o1", created: .seconds(5))

    private func parse(_ reply: PassiveReply) throws -> BodyNode {
        try BodyTree.parse(Array(reply.text(.xml, to: head, now: .seconds(9)).utf8)).root
    }

    @Test("sender and receiver change places, and the time is now")
    func envelope() throws {
        let root = try parse(.text("hi"))
        #expect(root.text("ToUserName") == "o1")
        #expect(root.text("FromUserName") == "gh_1")
        #expect(root.text("CreateTime") == "9")
        #expect(root.text("MsgType") == "text")
    }

    @Test(
        "any text comes out as it went in",
        arguments: ["]]>", "a]]]]>b", "]]", "<b>&amp;\n", "你好 😀", "]]>]]>", "> ]]"]
    )
    func text(content: String) throws {
        #expect(try parse(.text(content)).text("Content") == content)
    }

    @Test("control characters that XML cannot carry are left out")
    func control() throws {
        #expect(try parse(.text("a\u{0}]]\u{1}>\u{8}b")).text("Content") == "a]]>b")
    }

    @Test("every kind has the elements WeChat asks for")
    func kinds() throws {
        #expect(try parse(.image(mediaID: "m")).child("Image")?.text("MediaId") == "m")
        #expect(try parse(.voice(mediaID: "m")).child("Voice")?.text("MediaId") == "m")
        let video = try parse(.video(mediaID: "m", title: "t", description: nil)).child("Video")
        #expect(video?.text("Title") == "t")
        #expect(video?.child("Description") == nil)
        let music = try parse(.music(PassiveMusic(url: "http://u", thumbMediaID: "t")))
        #expect(music.child("Music")?.text("MusicUrl") == "http://u")
        #expect(music.child("Music")?.text("ThumbMediaId") == "t")
        let news = try parse(.news([NewsArticle(title: "a", url: "http://u")]))
        #expect(news.text("ArticleCount") == "1")
        #expect(news.child("Articles")?.child("item")?.text("Title") == "a")
        #expect(try parse(.transferToAgent(account: nil)).child("TransInfo") == nil)
        let agent = try parse(.transferToAgent(account: "a@b"))
        #expect(agent.text("MsgType") == "transfer_customer_service")
        #expect(agent.child("TransInfo")?.text("KfAccount") == "a@b")
    }

    @Test("an account that speaks JSON is answered in JSON")
    func json() {
        let reply = PassiveReply.news([NewsArticle(title: "你", url: "http://u/")])
        #expect(
            reply.text(.json, to: head, now: .seconds(9))
                == #"{"ToUserName":"o1","FromUserName":"gh_1","CreateTime":9,"MsgType":"news","ArticleCount":1,"Articles":[{"Title":"你","Description":"","PicUrl":"","Url":"http://u/"}]}"#
        )
    }

    @Test("more articles than allowed are refused, and so is an empty or long text")
    func limits() {
        let articles = Array(repeating: NewsArticle(title: "a", url: "http://u"), count: 8)
        #expect(throws: Never.self) {
            try PassiveReply.news(articles).validate(answering: true)
        }
        #expect(throws: InvalidMessage.self) {
            try PassiveReply.news(articles).validate(answering: false)
        }
        #expect(throws: InvalidMessage.self) { try PassiveReply.text("").validate(answering: true) }
        #expect(throws: InvalidMessage.self) {
            try PassiveReply.text(String(repeating: "你", count: 683)).validate(answering: true)
        }
    }

    @Test("nothing to say is the plain word success")
    func success() throws {
        let sealed = try Sample.sealed()
        let opened = try sealed.callback.open(sealed.query, body: sealed.body, now: sealed.now)
        var random = SplitMix64(seed: 1)
        let answer = sealed.callback.answer(nil, to: opened, now: sealed.now, using: &random)
        #expect(answer.body == "success")
    }
}
