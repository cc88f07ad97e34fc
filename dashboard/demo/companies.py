"""The invented companies: where a business writes, in which language, what it is called."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Company:
    key: str
    language: str
    name: str

    @property
    def email(self) -> str:
        return f"office@{self.domain}"

    @property
    def domain(self) -> str:
        return f"{self.key}.example"


COMPANIES = tuple(
    Company(*line.strip().split(maxsplit=2))
    for line in """
    nordlicht-robotics   de Nordlicht Robotics GmbH
    alder-and-finch      en Alder & Finch Ltd
    casa-lumen           fr Casa Lumen SARL
    baltic-grain         en Baltic Grain OÜ
    delta-freight        en Delta Freight Ltd
    ember-analytics      de Ember Analytics AG
    fjord-seafood        en Fjord Seafood AS
    granite-legal        en Granite Legal LLP
    iris-dentaire        fr Iris Cabinet Dentaire
    harbour-payments     en Harbour Payments plc
    juniper-textil       de Juniper Textil GmbH & Co. KG
    kestrel-drones       en Kestrel Drones Ltd
    lanterne-livres      fr Lanterne Livres SAS
    maple-mobility       en Maple Mobility Inc.
    noble-harvest        en Noble Harvest Ltd
    orchidee-kliniken    de Orchidee Kliniken gGmbH
    pampa-cuir           fr Pampa Cuir SA
    quarry-stone         en Quarry Stone Ltd
    ridge-outdoor        en Ridge Outdoor Ltd
    vela-versicherung    de Vela Versicherung AG
    tidewater-marine     en Tidewater Marine BV
    umbra-studios        en Umbra Studios Ltd
    safran-cuisine       fr Safran Cuisine SAS
    willow-daycare       en Willow Daycare CIC
    xenon-licht          de Xenon Licht GmbH
    yarrow-foods         en Yarrow Foods Ltd
    zephyr-voyages       fr Zéphyr Voyages SARL
    atlas-scaffolding    en Atlas Scaffolding Ltd
    bramble-bikes        en Bramble Bikes Ltd
    kobalt-bergbau       de Kobalt Bergbau AG
    dune-solaire         fr Dune Solaire SAS
    elm-architects       en Elm Architects LLP
    foundry-coffee       en Foundry Coffee Ltd
    gletscherwasser      de Gletscherwasser e.K.
    hazel-homes          en Hazel Homes Ltd
    """.strip().splitlines()
)
