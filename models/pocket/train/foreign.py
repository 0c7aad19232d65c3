"""Lines in other languages, and no language at all: one fixed answer."""

from names import invented
from turn import Turn, fill, has_all, pick

ANSWER = "I am sorry, I only understand English."
GERMAN = """Wo [ist|finde ich] [die Toilette|der Ausgang|das Café|der Aufzug|der Shop|der Eingang|das Restaurant|die Kasse]?
Wo sind [die Toiletten|die Schließfächer|die Dinosaurier]?
Wie viel kostet [eine Karte|der Eintritt|ein Ticket|die Führung]?
Was kostet [der Eintritt|eine Karte|das Parken]?
Wann [öffnen Sie|schließen Sie|haben Sie geöffnet|macht das Museum auf|beginnt die Führung]?
Haben Sie [heute|am Sonntag|am Montag] geöffnet?
[Guten Tag|Guten Morgen|Hallo], [ich habe eine Frage|können Sie mir helfen|wo bin ich hier]?
Ich [hätte gern|möchte|brauche] [zwei Karten|einen Kaffee|Hilfe|einen Schlüssel].
Sprechen Sie Deutsch?
Gibt es hier [ein Café|WLAN|einen Parkplatz|einen Aufzug]?
Darf ich [hier fotografieren|meinen Hund mitbringen|hier rauchen]?
Wie [geht es dir|heißt du|alt bist du|komme ich zum Bahnhof]?
Wer [bist du|hat dich gebaut|war Goethe]?
Erzähl mir [eine Geschichte|einen Witz].
Vielen Dank
Danke schön
Auf Wiedersehen
Wir sind [zwei Erwachsene|eine Gruppe|mit den Kindern da].
Kann ich mit Karte zahlen?
Bis wann ist [heute|samstags] offen?
Was ist [das|fünf plus drei]?"""
FRENCH = """Où [est|se trouve] [la sortie|le musée|le café|l'ascenseur|la boutique|l'entrée]?
Où sont les [toilettes|vestiaires|tableaux]?
Combien coûte [un billet|l'entrée|la visite|le parking]?
À quelle heure [ouvrez-vous|fermez-vous|est la visite]?
[Bonjour|Bonsoir|Salut]
[Bonjour|Bonsoir], [je cherche la sortie|avez-vous un plan|où sommes-nous|une question]
Je [voudrais|veux] [un café|trois billets|une carte|parler à quelqu'un].
Est-ce que vous [êtes ouverts dimanche|parlez français|avez le wifi]?
Parlez-vous français?
Merci [beaucoup|bien]
Au revoir
Comment [ça va|tu t'appelles|allez-vous]?
Qui es-tu?
Y a-t-il [un restaurant|une visite guidée|un bus]?
Nous sommes [deux adultes|une famille].
Puis-je [payer par carte|prendre des photos]?
Quel est le prix pour [les enfants|un étudiant]?
C'est [ouvert|combien|gratuit]?
Raconte-moi une histoire."""
SPANISH = """¿Dónde está [el baño|la salida|el ascensor|la tienda|la cafetería]?
Donde estan los [baños|servicios|cuadros]?
¿Cuánto cuesta [la entrada|un billete|el aparcamiento]?
¿A qué hora [abren|cierran|empieza la visita]?
[Hola|Buenos días|Buenas tardes], [tengo una pregunta|qué tal|puede ayudarme]
Quiero [dos entradas|un café|una cerveza].
¿Habla español?
[Muchas gracias|Gracias|Adiós|Hasta luego]
¿Están abiertos [el domingo|hoy|mañana]?
¿Hay [wifi|un restaurante|una visita guiada]?
¿Cómo te llamas?
¿Qué es esto?
Cuéntame [un cuento|una historia].
Puedo pagar con tarjeta?
Somos dos adultos y un niño."""
ITALIAN = """Dov'è [il bagno|l'uscita|il bar|l'ascensore|la cassa]?
Dove sono i [bagni|quadri|servizi]?
Quanto costa [il biglietto|l'ingresso|un caffè]?
A che ora [aprite|chiudete|comincia la visita]?
[Buongiorno|Buonasera|Ciao], [ho una domanda|mi può aiutare|dove siamo]?
Vorrei [due biglietti|un caffè|parlare con qualcuno].
Parla italiano?
[Grazie mille|Grazie|Arrivederci|Buongiorno]
Siete aperti [la domenica|oggi|domani]?
C'è [il wifi|un ristorante|un parcheggio]?
Come ti chiami?
Posso [fare foto|pagare con la carta]?
Raccontami una storia.
Siamo una famiglia con due bambini."""
OTHERS = """Waar is [het toilet|de uitgang|de winkel]?
Hoeveel kost [een kaartje|de toegang]?
Hoe laat [gaat u open|sluit u]?
Gdzie jest [toaleta|wyjście|sklep]?
Ile kosztuje bilet?
Dzień dobry
Onde fica [o banheiro|a saída]?
Quanto custa [o bilhete|a entrada]?
Obrigado
Var är [toaletten|utgången]?
Hvor er [toilettet|udgangen]?
Tuvalet nerede?
Merhaba
Dank u wel
Kde je východ?
Kolik stojí vstupenka?
Hvad koster en billet?
Missä on vessa?"""
TONGUES = [(tongue.split("\n"), weight) for tongue, weight in ((GERMAN, 5), (FRENCH, 5), (SPANISH, 3), (ITALIAN, 3), (OTHERS, 2))]
ROWS = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "asdf", "jkl", "qwer", "hjkl", "fdsa", "poiu", "yxcv"]


def mash(rng):
    """What a hand on the keys leaves: runs of a row, or letters without vowels."""
    dice = rng.random()
    if dice < 0.4:
        row = pick(rng, ROWS)
        at = rng.randrange(len(row) - 2)
        return row[at : at + rng.randint(3, 6)] * (2 if rng.random() < 0.15 else 1)
    letters = "bcdfghjklmnpqrstvwxz" if dice < 0.8 else "abcdefghijklmnopqrstuvwxyz"
    return "".join(pick(rng, letters) for _ in range(rng.randint(3, 8)))


def foreign_turn(rng):
    if rng.random() < 0.3:
        user = " ".join(mash(rng) for _ in range(rng.choices((1, 2, 3, 4), (3, 4, 3, 1))[0]))
        user += pick(rng, ["", "", "", "?", "!", "."])
        if rng.random() < 0.1:
            user = user.upper()
        thought = "This is no language that I know."
    else:
        asks = rng.choices([t for t, _ in TONGUES], [w for _, w in TONGUES])[0]
        user = fill(rng, pick(rng, asks))
        if rng.random() < 0.1:
            user += " " + fill(rng, pick(rng, asks))
        dice = rng.random()
        if dice < 0.2:
            user = user.lower().rstrip("?.")
        elif dice < 0.35:
            user = user.rstrip("?.")
        elif dice < 0.4:
            user += " " + invented(rng)
        thought = "This is not English. I only understand English."
    return Turn(user, ANSWER, has_all("sorry", "only understand english"), f"foreign {user}", "decline", thought)
