-- Upkeep of the books and of what is anchored.
drop table methodology_standing, closed_asset;
