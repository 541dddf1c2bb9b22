using System.Collections;
using System.Reflection;
using LoadBalancer.Core.Configuration;
using LoadBalancer.Core.Policies;
using NUnit.Framework;

namespace LoadBalancer.Core.Tests;

/// <summary>Configurations are equal by what they say: else a reload would touch what has not changed.</summary>
public sealed class ConfigEqualityTests
{
    private static IEnumerable<Type> ConfigTypes => typeof(ProxyConfig).Assembly.GetTypes().Where(type =>
        type is { IsAbstract: false, IsPublic: true, Namespace: "LoadBalancer.Core.Configuration" } && type.Name.EndsWith("Config", StringComparison.Ordinal) && type.GetMethod("<Clone>$") is not null);

    [Test]
    public void Equals_TwoWithDefaults_AreEqual([ValueSource(nameof(ConfigTypes))] Type type) => Assert.That(Make(type), Is.EqualTo(Make(type)));

    // Whatever a collection is made of, it counts by what is in it.
    [Test]
    public void Equals_CollectionsOfTheSame_AreEqualAndOthersAreNot([ValueSource(nameof(ConfigTypes))] Type type)
    {
        foreach (PropertyInfo property in type.GetProperties().Where(property => property.CanWrite && property.PropertyType.IsGenericType && typeof(IEnumerable).IsAssignableFrom(property.PropertyType)))
        {
            object one = Make(type), same = Make(type), other = Make(type);
            property.SetValue(one, Collection(property.PropertyType, "a"));
            property.SetValue(same, Collection(property.PropertyType, "a"));
            property.SetValue(other, Collection(property.PropertyType, "b"));
            Assert.That(one, Is.EqualTo(same), property.Name);
            Assert.That(one.GetHashCode(), Is.EqualTo(same.GetHashCode()), property.Name);
            Assert.That(one, Is.Not.EqualTo(other), property.Name);
        }
    }

    // A part that is left out here would change without anybody hearing of it.
    [Test]
    public void Between_EachPartOfTheConfiguration_IsSeen()
    {
        foreach (PropertyInfo property in typeof(ProxyConfig).GetProperties().Where(property => property.CanWrite))
        {
            var changed = new ProxyConfig();
            property.SetValue(changed, Another(property.PropertyType, property.GetValue(changed)));
            IReadOnlyList<ConfigChange> changes = ConfigChange.Between(new ProxyConfig(), changed);
            string name = char.ToLowerInvariant(property.Name[0]) + property.Name[1..];
            Assert.That(changes.Select(change => change.Path.Split('.')[0]), Is.EqualTo([name]), property.Name);
        }
    }

    [Test]
    public void Of_AMapThatIsChangedLater_KeepsWhatItWas()
    {
        var routes = new Dictionary<string, RouteConfig> { ["a"] = new() };
        var config = new ProxyConfig { Routes = routes };
        routes["b"] = new();
        Assert.That(config.Routes.Keys, Is.EqualTo(["a"]));
    }

    [Test]
    public void Between_RoutesInAnotherOrder_IsSeen()
    {
        RouteConfig a = new() { Path = "/a" }, b = new() { Path = "/b" };
        ProxyConfig one = new() { Routes = new Dictionary<string, RouteConfig> { ["a"] = a, ["b"] = b } }, other = new() { Routes = new Dictionary<string, RouteConfig> { ["b"] = b, ["a"] = a } };
        Assert.That(ConfigChange.Between(one, other), Is.EqualTo([new ConfigChange("routes", ConfigChangeKind.Reordered)]));
    }

    private static object Make(Type type) => type.GetConstructor(Type.EmptyTypes) is not null
        ? Activator.CreateInstance(type)!
        : System.Runtime.CompilerServices.RuntimeHelpers.GetUninitializedObject(type);

    private static object Collection(Type type, string text)
    {
        Type item = type.GetGenericArguments()[^1];
        object value = Value(item, text);
        if (type.GetGenericTypeDefinition() == typeof(IReadOnlyDictionary<,>))
        {
            var map = (IDictionary)Activator.CreateInstance(typeof(Dictionary<,>).MakeGenericType(typeof(string), item))!;
            map.Add(text, value);
            return map;
        }
        var list = (IList)Activator.CreateInstance(typeof(List<>).MakeGenericType(item))!;
        list.Add(value);
        if (text == "b") list.Add(value);
        return list;
    }

    private static object Value(Type type, string text) => type == typeof(string) ? text : type.IsValueType ? Activator.CreateInstance(type)! : type.IsAbstract ? new NoPolicy() : Make(type);

    private static object Another(Type type, object? value)
    {
        if (type.IsGenericType && typeof(IEnumerable).IsAssignableFrom(type)) return Collection(type, "a");
        return value switch
        {
            int number => number + 1,
            long number => number + 1,
            TimeSpan time => time + TimeSpan.FromSeconds(1),
            TransportConfig => new TransportConfig { Loops = 7 },
            _ => Value(type, "x"),
        };
    }

    private sealed record NoPolicy : PolicyConfig
    {
        public override string Kind => "none";

        protected internal override IRoutePolicy Create(PolicyServices services) => throw new NotSupportedException();
    }
}
