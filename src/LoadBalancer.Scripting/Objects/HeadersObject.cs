using System.Text;
using Jint;
using Jint.Native;
using Jint.Native.Object;
using LoadBalancer.Core.Policies;
using LoadBalancer.Scripting.Running;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>Headers</c> of Fetch: of the request, of an answer, or made by a script.</summary>
internal sealed class HeadersObject : ScriptObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Method("get", static (target, arguments) => This<HeadersObject>(target).Get(TextAt(arguments, 0)), 1)
        .Method("has", static (target, arguments) => This<HeadersObject>(target).Readable.CountOf(Encoding.UTF8.GetBytes(TextAt(arguments, 0))) > 0 ? JsBoolean.True : JsBoolean.False, 1)
        .Method("set", static (target, arguments) => This<HeadersObject>(target).Change(static (fields, name, value) => fields.Set(name, value), arguments), 2)
        .Method("append", static (target, arguments) => This<HeadersObject>(target).Change(static (fields, name, value) => fields.Append(name, value), arguments), 2)
        .Method("delete", static (target, arguments) => This<HeadersObject>(target).Delete(TextAt(arguments, 0)), 1)
        .Method("getSetCookie", static (target, _) => This<HeadersObject>(target).Values("set-cookie"))
        .Method("entries", Entries)
        .Method("keys", static (target, _) => This<HeadersObject>(target).Iterate(static (owner, name, _) => JsString.Create(name)))
        .Method("values", static (target, _) => This<HeadersObject>(target).Iterate(static (owner, _, value) => JsString.Create(value)))
        .Method("forEach", static (target, arguments) => This<HeadersObject>(target).ForEach(At(arguments, 0)), 1)
        .ToStringTag("Headers")
        .Build();

    private readonly HeaderFields _fields;
    private readonly ScriptCall? _call; // whose request or answer they are of; null for those of a script
    private readonly bool _isRequest;

    internal HeadersObject(ScriptEngine owner, ObjectInstance prototype, HeaderFields fields, ScriptCall? call = null, bool isRequest = false) : base(owner, prototype)
    {
        _fields = fields;
        _call = call;
        _isRequest = isRequest;
    }

    /// <summary>The fields, as long as they may be read.</summary>
    internal HeaderFields Readable => _call is { Exchange: null } ? throw Owner.Failure("it belongs to a request that is over") : _fields;

    internal static JsValue Entries(JsValue target, JsValue[] arguments) =>
        This<HeadersObject>(target).Iterate(static (owner, name, value) => new JsArray(owner.Js, [JsString.Create(name), JsString.Create(value)]));

    internal static HeadersObject Construct(ScriptEngine engine, ObjectInstance prototype, JsValue[] arguments) => new(engine, prototype, Read(engine, At(arguments, 0)));

    /// <summary>Fields of what stands for them: Headers, an array of pairs, or an object.</summary>
    internal static HeaderFields Read(ScriptEngine engine, JsValue init)
    {
        var fields = new HeaderFields();
        switch (init)
        {
            case HeadersObject headers:
                HeaderFields other = headers.Readable;
                for (int i = 0; i < other.Count; i++) fields.Append(other.NameAt(i), other.ValueAt(i));
                break;
            case JsArray pairs:
                for (uint i = 0; i < pairs.Length; i++)
                {
                    if (!pairs.TryGetValue(i, out JsValue pair) || pair is not JsArray { Length: 2 } two) throw engine.Failure("header fields are pairs of name and value");
                    Add(engine, fields, two.Get(JsNumber.Create(0)), two.Get(JsNumber.Create(1)));
                }
                break;
            case ObjectInstance record:
                foreach (JsValue key in record.GetOwnPropertyKeys(Jint.Runtime.Types.String)) Add(engine, fields, key, record.Get(key));
                break;
            default:
                if (!init.IsUndefined() && !init.IsNull()) throw engine.Failure("header fields are given as Headers, as an array of pairs or as an object");
                break;
        }
        return fields;
    }

    private static void Add(ScriptEngine engine, HeaderFields fields, JsValue name, JsValue value) =>
        Try(engine, (fields, name: Jint.Runtime.TypeConverter.ToString(name), value: Value(value)), static state => state.fields.Append(state.name, state.value));

    // Fetch normalises: no space at the ends.
    private static string Value(JsValue value) => Jint.Runtime.TypeConverter.ToString(value).Trim(' ', '\t', '\r', '\n');

    private JsValue Get(string name)
    {
        HeaderFields fields = Readable;
        if (fields.CountOf(Encoding.UTF8.GetBytes(name)) <= 1) return fields.Get(name) is { } value ? JsString.Create(value) : JsValue.Null;
        return JsString.Create(string.Join(", ", AllOf(name)));
    }

    private JsArray Values(string name) => new(Owner.Js, [.. AllOf(name).Select(JsString.Create)]);

    private List<string> AllOf(string name)
    {
        var values = new List<string>();
        byte[] bytes = Encoding.UTF8.GetBytes(name);
        HeaderFields fields = Readable;
        for (int i = fields.IndexOf(bytes); i >= 0; i = fields.IndexOf(bytes, i + 1)) values.Add(Encoding.Latin1.GetString(fields.ValueAt(i)));
        return values;
    }

    private JsValue Change(Action<HeaderFields, string, string> change, JsValue[] arguments)
    {
        EnsureChangeable();
        Try(Owner, (change, fields: Readable, name: TextAt(arguments, 0), value: Value(At(arguments, 1))), static state => state.change(state.fields, state.name, state.value));
        return Undefined;
    }

    private JsValue Delete(string name)
    {
        EnsureChangeable();
        Readable.Remove(name);
        return Undefined;
    }

    private void EnsureChangeable()
    {
        if (_isRequest && _call!.IsResponse) throw Owner.Failure("the request has been sent: it cannot be changed any more");
    }

    // In the order of their names, and values of one name together, as Fetch says; cookies that are set stay apart, since their dates have commas.
    private List<KeyValuePair<string, string>> Sorted()
    {
        HeaderFields fields = Readable;
        var sorted = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        for (int i = 0; i < fields.Count; i++)
        {
            string name = Encoding.ASCII.GetString(fields.NameAt(i)).ToLowerInvariant();
            if (!sorted.TryGetValue(name, out List<string>? values)) sorted.Add(name, values = []);
            values.Add(Encoding.Latin1.GetString(fields.ValueAt(i)));
        }
        var result = new List<KeyValuePair<string, string>>();
        foreach ((string name, List<string> values) in sorted)
        {
            if (name == "set-cookie") result.AddRange(values.Select(value => KeyValuePair.Create(name, value)));
            else result.Add(new(name, string.Join(", ", values)));
        }
        return result;
    }

    private JsValue Iterate(Func<ScriptEngine, string, string, JsValue> select) => Owner.Iterator([.. Sorted().Select(field => select(Owner, field.Key, field.Value))]);

    private JsValue ForEach(JsValue callback)
    {
        foreach ((string name, string value) in Sorted()) ScriptEngine.Invoke(callback, Undefined, [JsString.Create(value), JsString.Create(name), this]);
        return Undefined;
    }
}
