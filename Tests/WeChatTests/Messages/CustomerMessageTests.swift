import BelfryWeChat
import Testing

@Suite("Customer-service messages")
struct CustomerMessageTests {
    private static let samples: [(CustomerMessage, String)] = [
        (.text("hi"), #"{"msgtype":"text","text":{"content":"hi"}}"#),
        (
            CustomerMessage(.image(mediaID: "m")),
            #"{"msgtype":"image","image":{"media_id":"m"}}"#
        ),
        (
            CustomerMessage(.voice(mediaID: "m")),
            #"{"msgtype":"voice","voice":{"media_id":"m"}}"#
        ),
        (
            CustomerMessage(
                .video(VideoMessage(mediaID: "m", thumbMediaID: "t", title: "a", description: "b"))
            ),
            #"{"msgtype":"video","video":{"media_id":"m","thumb_media_id":"t","title":"a","description":"b"}}"#
        ),
        (
            CustomerMessage(
                .music(
                    MusicMessage(
                        title: "a",
                        url: "http://m/1",
                        highQualityURL: "https://m/2",
                        thumbMediaID: "t"
                    )
                )
            ),
            #"{"msgtype":"music","music":{"title":"a","musicurl":"http://m/1","hqmusicurl":"https://m/2","thumb_media_id":"t"}}"#
        ),
        (
            CustomerMessage(
                .news(
                    NewsArticle(
                        title: "a",
                        description: "b",
                        url: "https://u/?a=1&b=<2>",
                        pictureURL: "https://p"
                    )
                )
            ),
            #"{"msgtype":"news","news":{"articles":[{"title":"a","description":"b","url":"https://u/?a=1&b=<2>","picurl":"https://p"}]}}"#
        ),
        (
            CustomerMessage(.mpNews(mediaID: "m")),
            #"{"msgtype":"mpnews","mpnews":{"media_id":"m"}}"#
        ),
        (
            CustomerMessage(.mpNewsArticle(articleID: "a")),
            #"{"msgtype":"mpnewsarticle","mpnewsarticle":{"article_id":"a"}}"#
        ),
        (
            CustomerMessage(
                .menu(
                    MenuMessage(
                        head: "Happy?",
                        entries: [
                            .init(id: "101", content: "Yes"), .init(id: "102", content: "No"),
                        ],
                        tail: "Bye"
                    )
                )
            ),
            #"{"msgtype":"msgmenu","msgmenu":{"head_content":"Happy?","list":[{"id":"101","content":"Yes"},{"id":"102","content":"No"}],"tail_content":"Bye"}}"#
        ),
        (CustomerMessage(.card(id: "c")), #"{"msgtype":"wxcard","wxcard":{"card_id":"c"}}"#),
        (
            CustomerMessage(
                .miniProgramPage(
                    MiniProgramMessage(title: "a", appID: "wx2", path: "p?x=1", thumbMediaID: "t")
                )
            ),
            #"{"msgtype":"miniprogrampage","miniprogrampage":{"title":"a","appid":"wx2","pagepath":"p?x=1","thumb_media_id":"t"}}"#
        ),
        (
            CustomerMessage(
                .link(
                    LinkMessage(
                        title: "a",
                        description: "b",
                        url: "https://u",
                        thumbURL: "https://t"
                    )
                ),
                agent: "kf@x",
                isAIGenerated: true
            ),
            #"{"msgtype":"link","link":{"title":"a","description":"b","url":"https://u","thumb_url":"https://t"},"customservice":{"kf_account":"kf@x"},"aimsgcontext":{"is_ai_msg":1}}"#
        ),
    ]

    @Test("every type is written as WeChat wants it, and read back the same")
    func roundTrip() throws {
        for (message, json) in Self.samples {
            #expect(String(decoding: message.json(), as: UTF8.self) == json)
            #expect(try CustomerMessage(json: Array(json.utf8)) == message)
            #expect(throws: Never.self) { try message.validate() }
        }
        #expect(Set(Self.samples.map(\.0.type)).count == 12)
    }

    @Test("text leaves as raw UTF-8: nothing is escaped but what JSON demands")
    func rawText() {
        let text = "你好😀 </a> & ' / \u{7F}\u{2028}\u{2029} \\ \" \n\t"
        let json = String(decoding: CustomerMessage.text(text).json(), as: UTF8.self)
        #expect(
            json
                == "{\"msgtype\":\"text\",\"text\":{\"content\":\"你好😀 </a> & ' / \u{7F}\u{2028}\u{2029} \\\\ \\\" \\n\\t\"}}"
        )
        #expect(!json.contains("\\u") && !json.contains("\\/"))
    }

    private func problem(_ message: CustomerMessage) -> InvalidMessage? {
        do {
            try message.validate()
            return nil
        } catch {
            return error
        }
    }

    @Test("a text of 2048 bytes passes, one more does not, and the error says so")
    func textLimit() {
        #expect(problem(.text(String(repeating: "a", count: 2048))) == nil)
        // 683 Chinese characters have 2049 bytes.
        let long = problem(.text(String(repeating: "你", count: 683)))
        #expect(long?.field == "text.content")
        #expect(long?.problem.contains("2049") == true && long?.problem.contains("2048") == true)
        #expect(problem(.text(""))?.field == "text.content")
        #expect(problem(.text("a\u{1}"))?.problem.contains("U+0001") == true)
    }

    @Test("every limit names its field")
    func limits() {
        let article = NewsArticle(title: "a", url: "https://u")
        let cases: [(String, CustomerMessage)] = [
            ("image.media_id", CustomerMessage(.image(mediaID: ""))),
            ("voice.media_id", CustomerMessage(.voice(mediaID: ""))),
            ("mpnews.media_id", CustomerMessage(.mpNews(mediaID: ""))),
            ("mpnewsarticle.article_id", CustomerMessage(.mpNewsArticle(articleID: ""))),
            ("wxcard.card_id", CustomerMessage(.card(id: ""))),
            (
                "video.thumb_media_id",
                CustomerMessage(.video(VideoMessage(mediaID: "m", thumbMediaID: "")))
            ),
            (
                "music.hqmusicurl",
                CustomerMessage(
                    .music(
                        MusicMessage(url: "http://a", highQualityURL: "ftp://a", thumbMediaID: "t")
                    )
                )
            ),
            (
                "news.articles[0].url",
                CustomerMessage(.news(NewsArticle(title: "a", url: "javascript:1")))
            ),
            ("news.articles[0].title", CustomerMessage(.news(NewsArticle(title: "", url: "x")))),
            ("msgmenu.list", CustomerMessage(.menu(MenuMessage(entries: [])))),
            (
                "msgmenu.list[1].id",
                CustomerMessage(
                    .menu(
                        MenuMessage(entries: [
                            .init(id: "1", content: "a"), .init(id: "1", content: "b"),
                        ])
                    )
                )
            ),
            (
                "miniprogrampage.pagepath",
                CustomerMessage(
                    .miniProgramPage(
                        MiniProgramMessage(title: "a", appID: "b", path: "", thumbMediaID: "t")
                    )
                )
            ),
            ("customservice.kf_account", CustomerMessage(.news(article), agent: "")),
        ]
        for (field, message) in cases { #expect(problem(message)?.field == field) }
    }

    @Test(
        "what is missing, misspelt or of another kind is named",
        arguments: [
            (#"{"text":{"content":"a"}}"#, "msgtype"),
            (#"{"msgtype":"texts","texts":{}}"#, "msgtype"),
            (#"{"msgtype":"text"}"#, "text"),
            (#"{"msgtype":"text","text":{}}"#, "text.content"),
            (#"{"msgtype":"text","text":{"content":1}}"#, "text.content"),
            (#"{"msgtype":"text","text":{"content":"a","contnet":"b"}}"#, "text.contnet"),
            (#"{"msgtype":"text","text":{"content":"a"},"image":{}}"#, "image"),
            (#"{"touser":"o","msgtype":"text","text":{"content":"a"}}"#, "touser"),
            (#"{"msgtype":"news","news":{"articles":[]}}"#, "news.articles"),
            (
                #"{"msgtype":"news","news":{"articles":[{"title":"a","url":"u"},{"title":"b","url":"u"}]}}"#,
                "news.articles"
            ),
            (#"{"msgtype":"news","news":{"articles":[{"title":"a"}]}}"#, "news.articles[0].url"),
            (#"{"msgtype":"msgmenu","msgmenu":{"list":"a"}}"#, "msgmenu.list"),
            (#"[]"#, "message"), (#"{"msgtype""#, "message"), ("", "message"),
        ]
    )
    func unreadable(json: String, field: String) {
        #expect {
            try CustomerMessage(json: Array(json.utf8))
        } throws: { error in
            (error as? InvalidMessage)?.field == field
        }
    }

    @Test("bytes that are not UTF-8 and bottomless nesting are refused")
    func hostile() {
        let broken =
            Array(#"{"msgtype":"text","text":{"content":""#.utf8) + [0xC3, 0x28]
            + Array(#""}}"#.utf8)
        #expect(throws: InvalidMessage.self) { try CustomerMessage(json: broken) }
        let deep = Array(repeating: UInt8(ascii: "["), count: 60_000)
        #expect(throws: InvalidMessage.self) { try CustomerMessage(json: deep) }
    }
}
