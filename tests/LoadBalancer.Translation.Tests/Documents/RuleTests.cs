using LoadBalancer.Translation.Plans;

namespace LoadBalancer.Translation.Tests.Documents;

/// <summary>What each kind of rule does, there and back, with both engines where both can.</summary>
public class RuleTests
{
    // Rules; a document of v1; what it is in v2. Each comes back as it was.
    private static readonly object[][] ThereAndBack =
    [
        ["['name <-> fullName']", "{'name':'Ann'}", "{'fullName':'Ann'}"],
        ["['name <-> fullName']", "{ 'a' : 1.50, 'name' : 'A\\u006en' , 'z' : [ 1 ] }", "{ 'a' : 1.50, 'fullName' : 'A\\u006en' , 'z' : [ 1 ] }"],
        ["['a <-> b', 'b <-> a']", "{'a':1,'b':2}", "{'b':1,'a':2}"],
        ["['street <-> address.street']", "{'street':'x','n':1}", "{'address':{'street':'x'},'n':1}"],
        ["['street <-> address.street', 'zip <-> address.zip']", "{'street':'x','zip':'y'}", "{'address':{'street':'x','zip':'y'}}"],
        ["['a.b.c <-> x.y']", "{'a':{'b':{'c':1}}}", "{'x':{'y':1}}"],
        ["['author <-> writer', 'author.name <-> writer.fullName']", "{'author':{'name':'A','age':3}}", "{'writer':{'fullName':'A','age':3}}"],
        ["['author <-> writer', 'author.name <-> penName']", "{'author':{'name':'A','age':3}}", "{'penName':'A','writer':{'age':3}}"],
        ["['items[].name <-> items[].title']", "{'items':[{'name':'a'},{'name':'b','x':1},{}]}", "{'items':[{'title':'a'},{'title':'b','x':1},{}]}"],
        ["['items[].name <-> entries[].title']", "{'items':[{'name':'a'},{'name':'b'}]}", "{'entries':[{'title':'a'},{'title':'b'}]}"],
        ["['items[].street <-> entries[].address.street']", "{'items':[{'street':'a','x':1}]}", "{'entries':[{'address':{'street':'a'},'x':1}]}"],
        ["['$ <-> items', '[].name <-> items[].title']", "[{'name':'a'}]", "{'items':[{'title':'a'}]}"],
        ["['$ <-> data', 'name <-> data.title']", "{'name':'a','x':1}", "{'data':{'title':'a','x':1}}"],
        ["['byId.*.name <-> byId.*.title']", "{'byId':{'7':{'name':'a'},'8':{'x':1}}}", "{'byId':{'7':{'title':'a'},'8':{'x':1}}}"],
        ["['grid[][].v <-> grid[][].value']", "{'grid':[[{'v':1}],[],[{'v':2},{'v':3}]]}", "{'grid':[[{'value':1}],[],[{'value':2},{'value':3}]]}"],
        ["[{'v2':'kind','constant':'person'}]", "{'a':1}", "{'a':1,'kind':'person'}"],
        ["[{'v2':'kind','constant':'person'}]", "{}", "{'kind':'person'}"],
        ["[{'v2':'meta.kind','constant':{'a':[1]}}]", "{'a':1}", "{'a':1,'meta':{'kind':{'a':[1]}}}"],
        ["['items[].a <-> list[].b', {'v2':'list[].kind','constant':1}]", "{'items':[{'a':1}]}", "{'list':[{'b':1,'kind':1}]}"],
        ["[{'path':'state','default':{'v2':'none','omit':true}}]", "{'a':1}", "{'a':1,'state':'none'}"],
        ["[{'path':'state','default':{'v2':'none','omit':true}}]", "{'state':'x','a':1}", "{'state':'x','a':1}"],
        ["[{'v1':'state','v2':'info.state','default':{'v2':'none','omit':true}}]", "{'a':1}", "{'a':1,'info':{'state':'none'}}"],
        ["[{'path':'n','convert':{'v1':'number','v2':'string'}}]", "{'n':1.50}", "{'n':'1.50'}"],
        ["[{'path':'n','convert':{'v1':'string','v2':'number'}}]", "{'n':'-1e3'}", "{'n':-1e3}"],
        ["[{'path':'n','convert':{'v1':'number','v2':'string'}}]", "{'n':null}", "{'n':null}"],
        ["[{'path':'on','convert':{'v1':'boolean','v2':'string'}}]", "{'on':true}", "{'on':'true'}"],
        ["[{'path':'on','convert':{'v1':'number','v2':'boolean'}}]", "{'on':0}", "{'on':false}"],
        ["[{'path':'s','convert':{'enum':{'on':'ACTIVE','off':'NO'}}}]", "{'s':'off'}", "{'s':'NO'}"],
        ["[{'path':'s','convert':{'enum':[[true,'yes'],[false,'no'],[null,'unknown']]}}]", "{'s':null}", "{'s':'unknown'}"],
        ["[{'path':'s','convert':{'enum':[[true,'yes'],[false,'no']]}}]", "{'s':true}", "{'s':'yes'}"],
        ["[{'path':'t','convert':{'v1':'unix-seconds','v2':'rfc3339'}}]", "{'t':1795914123}", "{'t':'2026-11-29T01:02:03Z'}"],
        ["[{'path':'t','convert':{'v1':'unix-milliseconds','v2':'rfc3339'}}]", "{'t':-1}", "{'t':'1969-12-31T23:59:59.999Z'}"],
        ["[{'path':'t','convert':{'v1':'date','v2':'unix-seconds'}}]", "{'t':'1970-01-02'}", "{'t':86400}"],
        ["[{'path':'t','convert':{'v1':'unix-seconds','v2':'unix-milliseconds'}}]", "{'t':12}", "{'t':12000}"],
        ["[{'v1':'cents','v2':'price','convert':{'factor':0.01,'places':{'v2':2}}}]", "{'cents':1250}", "{'price':12.50}"],
        ["[{'v1':'cents','v2':'price','convert':{'factor':0.01,'v2':'string','places':{'v2':2}}}]", "{'cents':-5}", "{'price':'-0.05'}"],
        ["[{'v1':'minutes','v2':'seconds','convert':{'factor':60}}]", "{'minutes':1.5}", "{'seconds':90}"],
        ["[{'v1':'name','v2':['first','last'],'separator':' '}]", "{'name':'Ann B C','x':1}", "{'first':'Ann','last':'B C','x':1}"],
        ["[{'v1':'name','v2':['first','last'],'separator':' '}]", "{'name':'Ann'}", "{'first':'Ann'}"],
        ["[{'v1':'name','v2':['first','last'],'separator':' '}]", "{'name':null}", "{'first':null,'last':null}"],
        ["[{'v1':'name','v2':['first','last'],'separator':' '}]", "{'name':'A\\nB C'}", "{'first':'A\\nB','last':'C'}"],
        ["[{'v1':'name','v2':['first','last'],'separator':' ','splitAt':'last'}]", "{'name':'Jean Luc P'}", "{'first':'Jean Luc','last':'P'}"],
        ["[{'v1':'name','v2':['n.first','n.last'],'separator':', '}]", "{'name':'a, b'}", "{'n':{'first':'a','last':'b'}}"],
        ["[{'v1':['first','last'],'v2':'name','separator':' '}]", "{'first':'a','last':'b c'}", "{'name':'a b c'}"],
        ["[{'v1':'tag','v2':'tags','convert':{'v1':'single','v2':'list'}}]", "{'tag':{'a':1},'b':2}", "{'tags':[{'a':1}],'b':2}"],
        ["[{'v1':'tag','v2':'t.tags','convert':{'v1':'single','v2':'list'}}]", "{'tag':1}", "{'t':{'tags':[1]}}"],
        ["[{'v1':'tags','v2':'tag','convert':{'v1':'list','v2':'single'}}]", "{'tags':['x']}", "{'tag':'x'}"],
        ["[{'path':'tags[]','convert':{'enum':{'a':'A'}}}]", "{'tags':['a','a']}", "{'tags':['A','A']}"],
        ["['a <-> b']", "null", "null"],
        ["['a.b <-> a.c']", "{'a':null}", "{'a':null}"],
        ["['a.b <-> c']", "{'a':{}}", "{'a':{}}"],
    ];

    [TestCaseSource(nameof(ThereAndBack))]
    public void AValueGoesThereAndComesBack(string fields, string v1, string v2)
    {
        VersionMap map = TestMaps.OfFields(fields);
        (v1, v2) = (v1.Replace('\'', '"'), v2.Replace('\'', '"'));
        Assert.Multiple(() =>
        {
            Assert.That(TestMaps.Run(TestMaps.Up(map), v1), JsonIs.EqualTo(v2));
            Assert.That(TestMaps.Run(TestMaps.Up(map), v1, inPlace: false), JsonIs.EqualTo(v2));
            Assert.That(TestMaps.Run(TestMaps.Down(map), v2), JsonIs.EqualTo(v1));
            Assert.That(TestMaps.Run(TestMaps.Down(map), v2, inPlace: false), JsonIs.EqualTo(v1));
        });
    }

    [TestCase("['name <-> fullName']", "{ 'x' : 1.0e+2,\n 'name' : '\\u0041' }", "{ 'x' : 1.0e+2,\n 'fullName' : '\\u0041' }", Description = "byte for byte, white space too")]
    [TestCase("[{'v1':'a','lossy':true}]", "{'a':1}", "{}")]
    [TestCase("[{'v1':'a','lossy':true}]", "{ 'a':1, 'b':2 }", "{'b':2 }")]
    [TestCase("[{'v1':'a','lossy':true}]", "{ 'b':2 , 'a':[{'c':1}] }", "{ 'b':2 }")]
    [TestCase("[{'v1':'a','lossy':true},{'v1':'c','lossy':true}]", "{'a':1,'b':2,'c':3,'d':4}", "{'b':2,'d':4}")]
    [TestCase("[{'v1':'a','lossy':true},{'v2':'k','constant':1}]", "{'b':2,'a':1}", "{'b':2,'k':1}")]
    [TestCase("[{'v1':'a','lossy':true},{'v2':'k','constant':1}]", "{'a':1}", "{'k':1}")]
    [TestCase("[{'v1':'a','lossy':true},{'v2':'k','constant':1}]", "{ 'a':1, 'b':2 }", "{'b':2,'k':1 }")]
    [TestCase("['name <-> fullName']", "{'name':1,'fullName':2}", "{'fullName':1}", Description = "what only v2 has is not taken from clients of v1")]
    public void InPlace_WritesWhatChanges_AndCopiesTheRest(string fields, string document, string expected)
    {
        BodyPlan plan = TestMaps.Up(TestMaps.OfFields(fields));
        Assert.That(plan.IsInPlace, Is.True);
        Assert.That(TestMaps.Run(plan, document.Replace('\'', '"')), Is.EqualTo(expected.Replace('\'', '"')));
        Assert.That(TestMaps.Run(plan, document.Replace('\'', '"'), inPlace: false), JsonIs.EqualTo(expected.Replace('\'', '"')));
    }

    [Test]
    public void UnknownFields_OfAnObjectThatRulesWriteInto_StayBesideWhatTheyWrite()
    {
        BodyPlan plan = TestMaps.Up(TestMaps.OfFields("['street <-> address.street']"));
        foreach (string document in (string[])["{\"street\":\"x\",\"address\":{\"zip\":1,\"street\":\"old\"}}", "{\"address\":{\"zip\":1,\"street\":\"old\"},\"street\":\"x\"}"])
            Assert.That(TestMaps.Run(plan, document), JsonIs.EqualTo("{\"address\":{\"zip\":1,\"street\":\"x\"}}"));
        Assert.That(TestMaps.Run(plan, "{\"street\":\"x\",\"address\":5}"), JsonIs.EqualTo("{\"address\":{\"street\":\"x\"}}"));
        Assert.That(TestMaps.Run(plan, "{\"address\":5,\"street\":\"x\"}"), JsonIs.EqualTo("{\"address\":{\"street\":\"x\"}}"));
        Assert.That(TestMaps.Run(plan, "{\"address\":5}"), JsonIs.EqualTo("{\"address\":5}"));
    }

    [Test]
    public void UnknownFields_WhereTheyAreDropped_AreNotInTheResult()
    {
        VersionMap map = TestMaps.OfFields("['id', 'a.b <-> a.c', 'items[].x']", ", 'unknown': 'drop'");
        foreach (bool inPlace in (bool[])[true, false])
            Assert.That(TestMaps.Run(TestMaps.Up(map), "{\"id\":1,\"u\":2,\"a\":{\"b\":3,\"d\":4},\"items\":[{\"x\":1,\"y\":2}]}", inPlace), JsonIs.EqualTo("{\"id\":1,\"a\":{\"c\":3},\"items\":[{\"x\":1}]}"));
    }

    [Test]
    public void Names_ThatAreNoPlainWords_AreQuoted()
    {
        VersionMap map = VersionMap.Parse(System.Text.Encoding.UTF8.GetBytes("""{ "routes": [{ "v1": "POST /a", "v2": "POST /b", "request": { "fields": ["['a.b'] <-> x['c d'].ä"] } }] }"""));
        Assert.That(TestMaps.Run(TestMaps.Up(map), """{"a.b":1}"""), JsonIs.EqualTo("""{"x":{"c d":{"ä":1}}}"""));
    }

    [Test]
    public void Types_MayContainThemselves()
    {
        VersionMap map = TestMaps.OfFields("[{'path':'root','type':'Node'}]", ", 'types': { 'Node': ['name <-> title', {'v1':'next[]','v2':'children[]','type':'Node'}] }");
        const string V1 = "{\"root\":{\"name\":\"a\",\"next\":[{\"name\":\"b\",\"next\":[{\"name\":\"c\"}]}]}}", V2 = "{\"root\":{\"title\":\"a\",\"children\":[{\"title\":\"b\",\"children\":[{\"title\":\"c\"}]}]}}";
        Assert.That(TestMaps.Up(map).IsInPlace, Is.True);
        foreach (bool inPlace in (bool[])[true, false])
        {
            Assert.That(TestMaps.Run(TestMaps.Up(map), V1, inPlace), JsonIs.EqualTo(V2));
            Assert.That(TestMaps.Run(TestMaps.Down(map), V2, inPlace), JsonIs.EqualTo(V1));
        }
    }

    [TestCase("[{'path':'n','convert':{'v1':'number','v2':'string'}}]", "{'n':'x'}", "/n: is no number that the other version can say")]
    [TestCase("[{'path':'n','convert':{'v1':'number','v2':'string'}}]", "{'n':[1]}", "/n: is an array, expected a number")]
    [TestCase("[{'path':'a[].s','convert':{'enum':{'on':'ON'}}}]", "{'a':[{},{'s':'x'}]}", "/a/1/s: is no named value")]
    [TestCase("[{'v1':'cents','v2':'price','convert':{'factor':0.01,'places':{'v2':1}}}]", "{'cents':1234}", "/cents: is no number with a factor")]
    [TestCase("['a.b <-> a.c']", "{'a':5}", "/a: is a number, expected an object")]
    [TestCase("['a[].b <-> a[].c']", "{'a':{}}", "/a: is an object, expected an array")]
    [TestCase("['a[].b <-> a[].c']", "{'a':['x']}", "/a/0: is a string, expected an object")]
    [TestCase("['a <-> b']", "[]", "is an array, expected an object")]
    [TestCase("[{'v1':'name','v2':['first','last'],'separator':' '}]", "{'name':5}", "/name: is no string")]
    [TestCase("[{'v1':['first','last'],'v2':'name','separator':' '}]", "{'first':'a b','last':'c'}", "has parts that cannot be joined without loss")]
    [TestCase("[{'v1':['first','last'],'v2':'name','separator':' '}]", "{'last':'c'}", "has parts that cannot be joined without loss")]
    [TestCase("[{'v1':'t','v2':'u','convert':{'v1':'list','v2':'single'}}]", "{'t':[1,2]}", "/t: is no array of one element")]
    [TestCase("[{'path':'t','convert':{'v1':'rfc3339','v2':'unix-seconds'}}]", "{'t':'2026-11-29T01:02:03.5Z'}", "/t: is no time of RFC 3339 that the other version can say without loss")]
    public void Values_ThatCannotBeConverted_AreRefusedWithPointerAndRule(string fields, string document, string expected)
    {
        BodyPlan plan = TestMaps.Up(TestMaps.OfFields(fields));
        document = document.Replace('\'', '"');
        foreach (bool inPlace in (bool[])[plan.IsInPlace, false])
            Assert.That(TestMaps.Run(plan, document, inPlace), Does.StartWith("!").And.Contain(expected));
        BodyPlan passing = TestMaps.Up(TestMaps.OfFields(fields, ", 'onError': 'pass'"));
        foreach (bool inPlace in (bool[])[plan.IsInPlace, false])
            Assert.That(TestMaps.Run(passing, document, inPlace), Does.Not.StartWith("!"));
    }

    [TestCase("[{'path':'t','lossy':true,'convert':{'v1':'rfc3339','v2':'unix-seconds'}}]", "{'t':'2026-11-29T03:02:03.5+02:00'}", "{'t':1795914123}")]
    [TestCase("[{'v1':'a','v2':'b','lossy':true,'convert':{'factor':0.01,'places':{'v2':1,'v1':0}}}]", "{'a':1235}", "{'b':12.4}")]
    [TestCase("[{'v1':['first','last'],'v2':'name','separator':' ','lossy':true}]", "{'first':'a b','last':'c'}", "{'name':'a b c'}")]
    [TestCase("[{'v1':['first','last'],'v2':'name','separator':' ','lossy':true}]", "{'first':null,'last':'c'}", "{'name':'c'}")]
    [TestCase("[{'v1':'t','v2':'u','lossy':true,'convert':{'v1':'list','v2':'single'}}]", "{'t':[1,2]}", "{'u':1}")]
    [TestCase("[{'path':'s','lossy':true,'convert':{'enum':{'on':'ON'},'otherwise':{'v2':'OTHER'}}}]", "{'s':'x'}", "{'s':'OTHER'}")]
    [TestCase("[{'path':'s','convert':{'enum':[['on','ON'],['enabled','ON']],'winner':'first'}}]", "{'s':'enabled'}", "{'s':'ON'}")]
    public void LossyRules_TakeWhatTheyCan(string fields, string document, string expected)
    {
        BodyPlan plan = TestMaps.Up(TestMaps.OfFields(fields));
        foreach (bool inPlace in (bool[])[plan.IsInPlace, false]) Assert.That(TestMaps.Run(plan, document.Replace('\'', '"'), inPlace), JsonIs.EqualTo(expected.Replace('\'', '"')));
    }
}
