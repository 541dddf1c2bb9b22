using Jint;
using Jint.Native;
using Jint.Native.Object;
using Jint.Runtime;
using LoadBalancer.Scripting.Running;
using LoadBalancer.Scripting.Text;

namespace LoadBalancer.Scripting.Objects;

/// <summary><c>URLSearchParams</c>: of the request, of a URL, or made by a script.</summary>
internal sealed class SearchParamsObject : ScriptObject
{
    internal static readonly JsObjectShape Shape = new JsObjectShape.Builder()
        .Accessor("size", static (target, _) => JsNumber.Create(This<SearchParamsObject>(target)._pairs.Count))
        .Method("get", static (target, arguments) => This<SearchParamsObject>(target).Get(TextAt(arguments, 0)), 1)
        .Method("getAll", static (target, arguments) => This<SearchParamsObject>(target).GetAll(TextAt(arguments, 0)), 1)
        .Method("has", static (target, arguments) => This<SearchParamsObject>(target).Has(arguments) ? JsBoolean.True : JsBoolean.False, 1)
        .Method("set", static (target, arguments) => This<SearchParamsObject>(target).Set(TextAt(arguments, 0), TextAt(arguments, 1)), 2)
        .Method("append", static (target, arguments) => This<SearchParamsObject>(target).Append(TextAt(arguments, 0), TextAt(arguments, 1)), 2)
        .Method("delete", static (target, arguments) => This<SearchParamsObject>(target).Delete(arguments), 1)
        .Method("sort", static (target, _) => This<SearchParamsObject>(target).Sort())
        .Method("entries", Entries)
        .Method("keys", static (target, _) => This<SearchParamsObject>(target).Iterate(static (_, pair) => JsString.Create(pair.Key)))
        .Method("values", static (target, _) => This<SearchParamsObject>(target).Iterate(static (_, pair) => JsString.Create(pair.Value)))
        .Method("forEach", static (target, arguments) => This<SearchParamsObject>(target).ForEach(At(arguments, 0)), 1)
        .Method("toString", static (target, _) => JsString.Create(This<SearchParamsObject>(target).Text))
        .ToStringTag("URLSearchParams")
        .Build();

    private readonly List<KeyValuePair<string, string>> _pairs;
    private readonly ScriptObject? _source; // what has it as its query

    internal SearchParamsObject(ScriptEngine owner, ObjectInstance prototype, string query, ScriptObject? source = null) : base(owner, prototype)
    {
        _pairs = FormText.Parse(query);
        _source = source;
    }

    /// <summary>As it stands in a URL, without "?".</summary>
    internal string Text => FormText.Format(_pairs);

    internal static JsValue Entries(JsValue target, JsValue[] arguments) =>
        This<SearchParamsObject>(target).Iterate(static (owner, pair) => new JsArray(owner.Js, [JsString.Create(pair.Key), JsString.Create(pair.Value)]));

    internal static SearchParamsObject Construct(ScriptEngine engine, ObjectInstance prototype, JsValue[] arguments)
    {
        JsValue init = At(arguments, 0);
        if (init is SearchParamsObject other) return new SearchParamsObject(engine, prototype, other.Text);
        if (init is not ObjectInstance instance)
        {
            string text = init.IsUndefined() ? "" : TypeConverter.ToString(init);
            return new SearchParamsObject(engine, prototype, text.StartsWith('?') ? text[1..] : text);
        }
        var made = new SearchParamsObject(engine, prototype, "");
        if (instance is JsArray pairs)
        {
            for (uint i = 0; i < pairs.Length; i++)
            {
                if (!pairs.TryGetValue(i, out JsValue pair) || pair is not JsArray { Length: 2 } two) throw engine.Failure("parameters are pairs of name and value");
                made._pairs.Add(new(TypeConverter.ToString(two.Get(JsNumber.Create(0))), TypeConverter.ToString(two.Get(JsNumber.Create(1)))));
            }
        }
        else
        {
            foreach (JsValue key in instance.GetOwnPropertyKeys(Types.String)) made._pairs.Add(new(TypeConverter.ToString(key), TypeConverter.ToString(instance.Get(key))));
        }
        return made;
    }

    private JsValue Get(string name)
    {
        foreach ((string key, string value) in _pairs) if (key == name) return JsString.Create(value);
        return Null;
    }

    private JsArray GetAll(string name) => new(Owner.Js, [.. _pairs.Where(pair => pair.Key == name).Select(pair => JsString.Create(pair.Value))]);

    private bool Has(JsValue[] arguments)
    {
        string name = TextAt(arguments, 0);
        string? value = At(arguments, 1) is { } given && given.IsUndefined() ? null : TextAt(arguments, 1);
        return _pairs.Exists(pair => pair.Key == name && (value is null || pair.Value == value));
    }

    private JsValue Set(string name, string value)
    {
        int first = _pairs.FindIndex(pair => pair.Key == name);
        if (first < 0) return Append(name, value);
        _pairs[first] = new(name, value);
        for (int i = _pairs.Count - 1; i > first; i--) if (_pairs[i].Key == name) _pairs.RemoveAt(i);
        return Changed();
    }

    private JsValue Append(string name, string value)
    {
        _pairs.Add(new(name, value));
        return Changed();
    }

    private JsValue Delete(JsValue[] arguments)
    {
        string name = TextAt(arguments, 0);
        string? value = At(arguments, 1).Type == Types.Undefined ? null : TextAt(arguments, 1);
        _pairs.RemoveAll(pair => pair.Key == name && (value is null || pair.Value == value));
        return Changed();
    }

    private JsValue Sort()
    {
        List<KeyValuePair<string, string>> sorted = [.. _pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal)]; // stable
        _pairs.Clear();
        _pairs.AddRange(sorted);
        return Changed();
    }

    private JsValue Changed()
    {
        if (_source is RequestObject request) request.TakeQuery(Text);
        else if (_source is UrlObject url) url.TakeQuery(Text);
        return Undefined;
    }

    private JsValue Iterate(Func<ScriptEngine, KeyValuePair<string, string>, JsValue> select) => Owner.Iterator([.. _pairs.Select(pair => select(Owner, pair))]);

    private JsValue ForEach(JsValue callback)
    {
        for (int i = 0; i < _pairs.Count; i++) ScriptEngine.Invoke(callback, Undefined, [JsString.Create(_pairs[i].Value), JsString.Create(_pairs[i].Key), this]);
        return Undefined;
    }
}
