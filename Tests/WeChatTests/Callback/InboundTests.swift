import BelfryCore
import BelfryWeChat
import Testing

@Suite("Messages and events that come in")
struct InboundTests {
    @Test("every type of message is read")
    func messages() throws {
        #expect(
            try Sample.message("<MsgType>text</MsgType><Content> a &lt;b&gt; \n</Content>")
                == .text(" a <b> \n", menuID: nil)
        )
        #expect(
            try Sample.message(
                "<MsgType>text</MsgType><Content>Yes</Content><bizmsgmenuid>101</bizmsgmenuid>"
            ) == .text("Yes", menuID: "101")
        )
        #expect(
            try Sample.message(
                "<MsgType>image</MsgType><PicUrl>http://p</PicUrl><MediaId>m</MediaId>"
            ) == .image(url: "http://p", mediaID: "m")
        )
        #expect(
            try Sample.message(
                "<MsgType>voice</MsgType><MediaId>m</MediaId><Format>amr</Format>"
                    + "<MediaId16K>k</MediaId16K><Recognition><![CDATA[你好😀]]></Recognition>"
            ) == .voice(mediaID: "m", format: "amr", mediaID16K: "k", recognition: "你好😀")
        )
        let video = "<MediaId>m</MediaId><ThumbMediaId>t</ThumbMediaId>"
        #expect(
            try Sample.message("<MsgType>video</MsgType>\(video)")
                == .video(mediaID: "m", thumbMediaID: "t")
        )
        #expect(
            try Sample.message("<MsgType>shortvideo</MsgType>\(video)")
                == .shortVideo(mediaID: "m", thumbMediaID: "t")
        )
        #expect(
            try Sample.message(
                "<MsgType>location</MsgType><Location_X>23.134</Location_X>"
                    + "<Location_Y>113.358</Location_Y><Scale>20</Scale><Label>x</Label>"
            ) == .location(latitude: 23.134, longitude: 113.358, scale: 20, label: "x")
        )
        #expect(
            try Sample.message(
                "<MsgType>link</MsgType><Title>t</Title><Description>d</Description><Url>u</Url>"
            ) == .link(title: "t", description: "d", url: "u")
        )
        guard case .unknown(let body) = try Sample.message("<MsgType>hologram</MsgType><X>1</X>")
        else {
            Issue.record("an unknown type must be kept")
            return
        }
        #expect(body.text("X") == "1")
    }

    @Test("an article that was answered is told")
    func article() throws {
        let text = Sample.body(
            "<MsgType>text</MsgType><MsgDataId>d</MsgDataId><Idx>2</Idx><MsgId>1</MsgId>"
        )
        guard case .message(let message) = try Sample.inbound(text) else {
            Issue.record("not a message")
            return
        }
        #expect(message.article?.dataID == "d")
        #expect(message.article?.index == "2")
    }

    @Test("a follow tells its scene only for the exact prefix")
    func follow() throws {
        let plain = try Sample.content(Sample.event("subscribe", "<EventKey></EventKey>"))
        #expect(plain == .follow(scene: nil, ticket: nil))
        #expect(try Sample.content(Sample.event("subscribe")) == plain)
        let scene = "<EventKey><![CDATA[qrscene_qrscene_7]]></EventKey><Ticket>T</Ticket>"
        #expect(
            try Sample.content(Sample.event("subscribe", scene))
                == .follow(scene: "qrscene_7", ticket: "T")
        )
        let trade = "<EventKey>last_trade_no_4000</EventKey>"
        #expect(
            try Sample.content(Sample.event("subscribe", trade))
                == .follow(scene: nil, ticket: nil)
        )
        #expect(try Sample.content(Sample.event("unsubscribe")) == .unfollow)
        #expect(
            try Sample.content(Sample.event("SCAN", "<EventKey>7</EventKey><Ticket>T</Ticket>"))
                == .scan(scene: "7", ticket: "T")
        )
    }

    @Test("every menu event is read")
    func menus() throws {
        #expect(
            try Sample.content(Sample.event("CLICK", "<EventKey>k</EventKey>")) == .menuClick
        )
        #expect(
            try Sample.content(
                Sample.event("VIEW", "<EventKey>http://a?b&amp;c</EventKey><MenuId>9</MenuId>")
            ) == .menuView(url: "http://a?b&c", menuID: "9")
        )
        #expect(
            try Sample.content(Sample.event("view_miniprogram", "<EventKey>p</EventKey>"))
                == .menuMiniProgram(path: "p", menuID: nil)
        )
        let scan =
            "<ScanCodeInfo><ScanType>qrcode</ScanType><ScanResult>1</ScanResult></ScanCodeInfo>"
        #expect(
            try Sample.content(Sample.event("scancode_push", scan))
                == .menuScan(waits: false, type: "qrcode", result: "1")
        )
        #expect(
            try Sample.content(Sample.event("scancode_waitmsg", scan))
                == .menuScan(waits: true, type: "qrcode", result: "1")
        )
        for source in ["pic_sysphoto", "pic_photo_or_album", "pic_weixin"] {
            let photos = "<SendPicsInfo><Count>2</Count></SendPicsInfo>"
            #expect(
                try Sample.content(Sample.event(source, photos))
                    == .menuPhotos(source: source, count: 2)
            )
        }
        let place =
            "<SendLocationInfo><Location_X>23</Location_X><Location_Y>113</Location_Y>"
            + "<Label>x</Label></SendLocationInfo>"
        #expect(
            try Sample.content(Sample.event("location_select", place))
                == .menuLocation(latitude: 23, longitude: 113, label: "x")
        )
        #expect(
            try Sample.content(
                Sample.event(
                    "LOCATION",
                    "<Latitude>23.1</Latitude><Longitude>113.3</Longitude>"
                        + "<Precision>119.4</Precision>"
                )
            ) == .location(latitude: 23.1, longitude: 113.3, precision: 119.4)
        )
    }

    @Test(
        "the results of template messages are told apart, however they are spaced",
        arguments: [
            ("success", TemplateResult.success), ("failed:user block", .userBlock),
            ("failed: user block", .userBlock),
            ("failed: system failed", .failed("system failed")),
            ("failed:freq limit", .failed("freq limit")), ("failed", .failed("")),
        ]
    )
    func templates(status: String, result: TemplateResult) throws {
        let body = Sample.event(
            "TEMPLATESENDJOBFINISH",
            "<MsgID>2398</MsgID><Status><![CDATA[\(status)]]></Status>"
        )
        #expect(try Sample.content(body) == .templateFinished(result))
    }

    @Test("consents come as one or several lists, as XML or JSON")
    func consents() throws {
        func list(_ id: String, _ word: String) -> String {
            "<List><TemplateId>\(id)</TemplateId>"
                + "<SubscribeStatusString>\(word)</SubscribeStatusString>"
                + "<PopupScene>2</PopupScene></List>"
        }
        let one = try Sample.content(
            Sample.event(
                "subscribe_msg_popup_event",
                "<SubscribeMsgPopupEvent>\(list("A", "accept"))</SubscribeMsgPopupEvent>"
            )
        )
        let accept = SubscribeChoice(templateID: "A", accepted: true, scene: "2")
        #expect(one == .subscribePopup([accept]))
        let two = try Sample.content(
            Sample.event(
                "subscribe_msg_popup_event",
                "<SubscribeMsgPopupEvent>\(list("A", "accept"))\(list("B", "reject"))"
                    + "</SubscribeMsgPopupEvent>"
            )
        )
        let reject = SubscribeChoice(templateID: "B", accepted: false, scene: "2")
        #expect(two == .subscribePopup([accept, reject]))
        let json = """
            {"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1,"MsgType":"event",
            "Event":"subscribe_msg_change_event",
            "List":[{"TemplateId":"B","SubscribeStatusString":"reject","PopupScene":2}]}
            """
        #expect(try Sample.content(json) == .subscribeChange([reject]))
        let sent =
            "<SubscribeMsgSentEvent><List><TemplateId>A</TemplateId><MsgID>77</MsgID>"
            + "<ErrorCode>0</ErrorCode><ErrorStatus>success</ErrorStatus></List>"
            + "</SubscribeMsgSentEvent>"
        #expect(
            try Sample.content(Sample.event("subscribe_msg_sent_event", sent))
                == .subscribeSent([
                    SubscribeResult(templateID: "A", messageID: "77", code: 0, status: "success")
                ])
        )
    }

    @Test("publishing and changes of personal data are told")
    func others() throws {
        let info =
            "<PublishEventInfo><publish_id>2</publish_id><publish_status>0</publish_status>"
            + "<article_id>A</article_id></PublishEventInfo>"
        #expect(
            try Sample.content(Sample.event("PUBLISHJOBFINISH", info))
                == .published(PublishResult(publishID: "2", status: 0, articleID: "A"))
        )
        for change in [UserDataChange.modified, .revoked, .cancelled] {
            #expect(try Sample.content(Sample.event(change.rawValue)) == .userData(change))
        }
    }

    @Test("an unknown event is kept, not refused")
    func unknown() throws {
        guard case .unknown = try Sample.content(Sample.event("from_the_future")) else {
            Issue.record("an unknown event must be kept")
            return
        }
    }

    @Test("a JSON body keeps 64-bit message ids whole")
    func jsonIDs() throws {
        let json = """
            {"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1,"MsgType":"text",
            "Content":"\\u4f60\\/","MsgId":18446744073709551615}
            """
        guard case .message(let message) = try Sample.inbound(json) else {
            Issue.record("not a message")
            return
        }
        #expect(message.id == "18446744073709551615")
        #expect(message.content == .text("你/", menuID: nil))
    }
}

@Suite("Keys of de-duplication")
struct DedupeKeyTests {
    private func key(_ text: String, appID: String = "wx1") throws -> String {
        try Sample.inbound(text).dedupeKey(appID: appID)
    }

    @Test("a message is known by account, person and id")
    func messages() throws {
        #expect(try key(Sample.text) == "wx1|o1|6054768590064713728")
        #expect(try key(Sample.text) != key(Sample.text, appID: "wx2"))
    }

    @Test("events of the same second are told apart, repetitions are not")
    func events() throws {
        let follow = try key(Sample.event("subscribe"))
        #expect(follow == "wx1|o1|1714037059|subscribe||")
        let others = [
            Sample.event("unsubscribe"), Sample.event("subscribe", created: 1_714_037_060),
            Sample.event("CLICK", "<EventKey>a</EventKey>"),
            Sample.event("CLICK", "<EventKey>b</EventKey>"),
            Sample.event("TEMPLATESENDJOBFINISH", "<MsgID>1</MsgID>"),
            Sample.event("TEMPLATESENDJOBFINISH", "<MsgID>2</MsgID>"),
        ]
        let keys = try others.map { try key($0) }
        #expect(Set(keys + [follow]).count == others.count + 1)
        #expect(try others.map { try key($0) } == keys)
    }

    @Test("a long web address does not make a long key")
    func longKeys() throws {
        let long = String(repeating: "a", count: 2000)
        let one = try key(Sample.event("VIEW", "<EventKey>\(long)1</EventKey>"))
        let two = try key(Sample.event("VIEW", "<EventKey>\(long)2</EventKey>"))
        #expect(one != two)
        #expect(one.utf8.count < 256)
    }
}
